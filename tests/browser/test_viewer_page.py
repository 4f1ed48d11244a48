"""The viewer's page in Chromium: every function, by keyboard alone; what agents say stays text."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from tests.made_runs import AT, Configuration, made_call, made_trajectory

from .shown_runs import SCRIPT, TEN_MEGABYTES

pytestmark = pytest.mark.browser


@pytest.fixture
def open_run(page: Any, viewer: str) -> Any:
    """Opens the page of a run by the name of its folder, or of one of its episodes."""

    def open_it(name: str, episode: str = "", more: str = "") -> Any:
        page.goto(viewer)
        row = page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True))
        row.wait_for()
        run = row.get_attribute("data-id")
        base = viewer.partition("#")[0]
        page.goto(f"{base}?run={run}" + (f"&episode={quote(episode)}" if episode else "") + more)
        page.locator(".step" if episode else "tr[data-id]").first.wait_for()
        return page

    return open_it


def focused(page: Any) -> str:
    text = page.evaluate("document.activeElement.textContent")
    assert isinstance(text, str)
    return text


def said(page: Any) -> str:
    return str(page.locator("#announcer").text_content())


# --- what agents and environments say


def test_texts_of_agents_and_environments_are_shown_and_never_run(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/hostile/1")
    texts = " ".join(page.locator(".step .text").all_text_contents())
    assert texts.count(SCRIPT) >= 4
    assert "[ESC][31mred" in texts
    assert "[U+202E]" in texts
    assert "\u202e" not in page.locator("main").text_content()
    assert page.evaluate("window.executed") is None
    assert page.locator("main script, main img").count() == 0


def test_a_damaged_line_is_shown_with_the_reason(page: Any, open_run: Any) -> None:
    open_run("difficult")
    assert "was killed" in page.locator(".problem").first.text_content()
    page.get_by_role("link", name="line 7").click()
    page.get_by_text("The line is not JSON").wait_for()
    assert SCRIPT in page.locator(".text").first.text_content()
    assert page.evaluate("window.executed") is None


def test_ten_megabytes_are_sent_only_when_they_are_wanted(page: Any, open_run: Any) -> None:
    received: list[int] = []
    page.on("response", lambda response: received.append(int(response.headers.get("content-length", 0))))
    open_run("difficult", "lift/long/1")
    assert sum(received) < 1_000_000
    page.get_by_role("button", name="Show more").click()
    page.get_by_text(re.compile(r"^25\d,\d+ of 10,000,000")).wait_for()
    page.get_by_role("button", name="Show all").click()
    page.locator(".more").wait_for(state="detached", timeout=60_000)
    assert page.evaluate("document.querySelector('.result').textContent.length") == TEN_MEGABYTES


def test_parallel_calls_stand_with_their_results(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/parallel/1")
    calls = page.locator("#step-2 .call")
    assert calls.count() == 3
    assert "a bell" in calls.nth(0).text_content()
    assert "floors is not an integer" in calls.nth(1).text_content()
    assert "no tool has this name" in calls.nth(2).text_content()


def test_a_failure_of_ours_names_its_side(page: Any, open_run: Any) -> None:
    open_run("difficult", "vault/failure/1")
    page.get_by_text("failed, not the agent's fault").first.wait_for()
    page.get_by_text("Error, caused by an environment, the server or this program").wait_for()


# --- by keyboard alone


def test_every_function_of_the_lists_by_keyboard(page: Any, viewer: str) -> None:
    page.goto(viewer)
    page.locator("tr[data-id]").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == "constant"
    page.keyboard.press("j")
    assert focused(page) == "difficult"
    page.keyboard.press("Enter")
    page.get_by_text("damaged record").first.wait_for()
    page.keyboard.press("n")
    assert "line 7" in focused(page)
    page.keyboard.press("N")
    assert "hostile" in focused(page)
    page.keyboard.press("f")
    expect(page.locator("tr[data-id]")).to_have_count(6)
    page.keyboard.press("f")
    expect(page.locator("tr[data-id]")).to_have_count(8)
    page.keyboard.press("/")
    page.keyboard.type("roof floor")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-id]")).to_have_count(1)
    assert "search=roof" in page.url
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.get_by_role("heading", name="Runs").wait_for()


def test_every_function_of_an_episode_by_keyboard(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/many/1")
    expect(page.locator(".step")).to_have_count(256)
    for key, step in (("j", 1), ("j", 2), ("k", 1), ("n", 51), ("n", 101), ("p", 51), ("G", 256), ("g", 1)):
        page.keyboard.press(key)
        assert page.url.endswith(f"#step-{step}"), key
        assert page.evaluate("document.activeElement.id") == f"step-{step}"
        assert said(page).startswith(f"Step {step}:")
    page.keyboard.press("/")
    page.keyboard.type("floor 199")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("#step-200$"))
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("?")
    assert not page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("]")
    page.get_by_role("heading", name="lift / parallel").wait_for()
    page.get_by_role("button", name="Previous").wait_for()
    page.keyboard.press("[")
    page.get_by_role("heading", name="lift / many").wait_for()
    page.keyboard.press("u")
    page.get_by_role("heading", name="Episodes").wait_for()


def test_refused_calls_and_unsolved_episodes_have_keys_of_their_own(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/parallel/1")
    page.keyboard.press("n")
    assert page.url.endswith("#step-2")
    page.keyboard.press("n")
    expect(page.locator("#notice")).to_have_text("There is no further refused call in this episode.")
    assert page.url.endswith("#step-2")
    page.keyboard.press("N")
    page.get_by_role("heading", name="vault / failure").wait_for()


def test_a_key_that_does_nothing_says_so_visibly(page: Any, open_run: Any) -> None:
    open_run("difficult")
    page.keyboard.press("]")
    expect(page.locator("#notice")).to_have_text("There is only one page.")
    page.get_by_role("link", name="vault / refusal").click()
    page.get_by_role("button", name="Previous").wait_for()
    page.keyboard.press("]")
    expect(page.locator("#notice")).to_have_text("This is the last episode.")
    page.keyboard.press("j")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(page.locator("#step-1")).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_role("link", name="vault / refusal")).to_be_focused()


def test_a_wrong_answer_is_marked_and_the_right_one_stands_beside_it(page: Any, open_run: Any) -> None:
    open_run("random")
    page.get_by_role("link", name=re.compile("leak_survey")).first.click()
    page.locator(".step.failure .call", has_text="✗ wrong answer").wait_for()
    page.get_by_text("Overlap with the right answer").wait_for()
    page.get_by_role("button", name="Show the oracle's answer").click()
    expect(page.locator(".answers .text")).to_have_count(2, timeout=30_000)
    right = page.locator(".answers .text").nth(1).text_content()
    open_run("oracle")
    page.get_by_role("link", name=re.compile("leak_survey")).first.click()
    page.locator(".step.right .call", has_text="✓ right answer").wait_for()
    assert page.locator(".answers .text").text_content() == right


def test_the_words_that_were_found_are_marked(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/many/1", "&find=FLOOR%20199")
    expect(page.locator("mark")).to_have_text(["floor 199"])
    page.get_by_text("1 step matches; press m for the next").wait_for()
    expect(page.locator(".outline li.marked")).to_have_count(1)


def test_what_is_beside_changes_without_moving_the_focus_and_stays_with_the_next_episode(
    page: Any, open_run: Any
) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    open_run("random")
    page.get_by_role("link", name=re.compile("night_courier")).first.click()
    page.locator("select[name=beside] option", has_text="run oracle").wait_for(state="attached")
    page.keyboard.press("c")
    page.locator("select[name=beside]").select_option(label=_option(page, "run oracle"))
    page.locator("#beside-2").wait_for()
    expect(page.locator("select[name=beside]")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    # Of two columns one below the other, the main one moves.
    assert abs(page.evaluate("document.querySelector('#step-2').getBoundingClientRect().top")) < 200
    heading = page.get_by_role("heading", level=1).text_content()
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(heading)
    page.locator("#beside-2").wait_for()
    assert "Recorded: run oracle" in page.locator(".column").nth(1).text_content()


def _option(page: Any, text: str) -> str:
    return str(page.locator("select[name=beside] option", has_text=text).text_content())


def test_the_tab_key_reaches_every_control_and_the_focus_is_visible(page: Any, open_run: Any) -> None:
    open_run("random")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
        style = "document.activeElement === document.body ? 'nothing' : getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(style) != "none", page.evaluate("document.activeElement.outerHTML")
    assert {"Skip to the content", "Runs", "Keys ?", "search", "outcome", "failures", "reward"} <= reached


# --- links, columns, live


def test_a_link_to_a_step_opens_there_also_in_a_new_tab(page: Any, open_run: Any, context: Any) -> None:
    open_run("difficult", "lift/many/1", "#step-200")
    expect(page.locator("#step-200")).to_be_focused()
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator("#step-200")).to_be_focused()
    other.go_back()


def test_the_oracle_stands_beside_an_episode(page: Any, open_run: Any, picture: Any) -> None:
    open_run("random")
    page.get_by_role("link", name=re.compile("vault_protocol")).first.click()
    page.locator("select[name=beside]").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.locator("#beside-2").wait_for(timeout=30_000)
    assert "Oracle, played now" in page.locator(".column").nth(1).text_content()
    page.wait_for_timeout(300)
    tops = [page.locator(each).bounding_box()["y"] for each in ("#step-2", "#beside-2")]
    assert abs(tops[0] - tops[1]) < 2
    picture(page, "viewer-beside")
    # The keys go on to the end of the longer column.
    page.keyboard.press("G")
    steps = [column.locator(".step").count() for column in page.locator(".column").all()]
    selected = page.locator(".step.selected").evaluate_all(
        "all => all.map((each) => Number(each.dataset.number))"
    )
    assert max(selected) == max(steps)
    assert steps[0] != steps[1]


def test_another_attempt_stands_beside_an_episode(page: Any, open_run: Any) -> None:
    open_run("random")
    page.get_by_role("link", name=re.compile("night_courier")).first.click()
    page.locator("select[name=beside] option", has_text="run oracle").wait_for(state="attached")
    page.locator("select[name=beside]").select_option(label=_option(page, "run oracle"))
    page.locator("#beside-2").wait_for()


def test_what_cannot_be_played_says_why(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/parallel/1")
    page.get_by_text("The oracle's way cannot be shown.").first.wait_for()


def test_episodes_appear_while_the_run_goes_on(page: Any, open_run: Any, folder: Path) -> None:
    path = folder / "runs" / "live"
    with RunDirectory.create(path, Configuration(agent="live"), RunStart(at=AT, episodes=2)) as directory:
        directory.append(made_trajectory("lift/first/1"))
        open_run("live")
        page.get_by_text("In progress").first.wait_for()
        directory.append(made_trajectory("lift/second/1", "incorrect", [made_call("look", {})]))
        page.get_by_role("link", name="lift / second").wait_for(timeout=10_000)


def test_without_a_token_the_page_asks_for_it(page: Any, viewer: str, context: Any) -> None:
    context.expected_problems.append("401")
    base, _, token = viewer.partition("#token=")
    page.goto(base)
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("is not the server's").wait_for()
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    page.locator("tr[data-id]").first.wait_for()
    assert token not in page.url


def test_the_token_does_not_stay_in_the_address(page: Any, viewer: str) -> None:
    page.goto(viewer)
    page.locator("tr[data-id]").first.wait_for()
    assert "token" not in page.url


# --- widths, colours, print, names


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
def test_pages_are_accessible_and_fit_their_width(
    page: Any, open_run: Any, violations: Any, picture: Any, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    found = []
    for name, run, episode in (
        ("episodes", "difficult", ""),
        ("episode", "random", "night_courier/five-corners-one-toll-zone/1"),
        ("difficult", "difficult", "lift/parallel/1"),
        ("hostile", "difficult", "lift/hostile/1"),
    ):
        open_run(run, episode)
        if episode:
            page.locator("select[name=beside]").wait_for()
        found += [f"{name}: {each}" for each in violations(page)]
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, name
        picture(page, f"viewer-{name}-{width}-{scheme}")
    page.goto(page.url.partition("?")[0])
    page.locator("tr[data-id]").first.wait_for()
    found += [f"runs: {each}" for each in violations(page)]
    picture(page, f"viewer-runs-{width}-{scheme}")
    page.keyboard.press("?")
    found += [f"keys: {each}" for each in violations(page)]
    assert found == []


def test_a_screen_reader_hears_names_of_controls_and_steps(page: Any, open_run: Any) -> None:
    open_run("difficult", "lift/parallel/1")
    assert page.get_by_role("navigation", name="Breadcrumb").count() == 1
    assert page.get_by_role("listitem", name=re.compile("^Step 2: calls look, move, error")).count() == 1
    assert page.get_by_role("searchbox", name="Find in this episode").count() == 1
    assert page.get_by_role("button", name="Next refused call").count() == 1
    page.get_by_role("combobox", name="Compare with").wait_for()


def test_a_printed_episode_has_its_steps_and_no_controls(page: Any, open_run: Any, picture: Any) -> None:
    open_run("difficult", "lift/parallel/1")
    page.emulate_media(media="print", color_scheme="dark")
    for selector in ("body > header", ".tools", ".outline"):
        assert not page.locator(selector).first.is_visible()
    assert page.locator("#step-2").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.step')).color") == "rgb(0, 0, 0)"
    picture(page, "viewer-print")
