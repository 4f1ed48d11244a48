"""The page of a report in Chromium: light, dark, printed, on a phone and a wide screen, with hostile texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import codegym_mcp
from codegym_harness.records.trajectory import Fault, RolloutError, StopReason
from codegym_harness.runs.run_directory_writer import RunDirectory
from tests.conversations import agent, asked, metrics, refused, trajectory, user
from tests.made_runs import Configuration

from .conftest import AXE, PICTURES

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title = 'run'</script></script><img src=x onerror=alert(1)>\x1b[31m\u202e\u2066 שלום مرحبا"
FAILURE = RolloutError(fault=Fault.PROVIDER, kind="ModelError", message=HOSTILE)


def make_run(path: Path, name: str, solved: int) -> Path:
    """A run over two attempts at tasks of three environments; of six tasks it solves so many each time."""
    with RunDirectory.create(path, Configuration(agent=name)) as directory:
        for number in range(6):
            environment, task = (
                ("leak_survey", "night_courier", "vault_protocol")[number % 3],
                f"task-{number}",
            )
            for epoch in (1, 2):
                turn = agent(
                    "I look.", *[asked("look", {"n": n}, f"result {n}") for n in range(3)], reasoning="Hm."
                )
                turn.metrics = metrics(cost_usd=0.01)
                right = number < solved or (number == solved and epoch == 1)
                wrong = "incorrect" if number % 2 else "no_submission"
                directory.append(
                    trajectory(
                        user("Find the bell."),
                        *([turn] * 1),
                        refused(agent("", asked("move", {"floors": -1}, "There is no such floor."))),
                        agent("", asked("submit_answer", {"answer": number}, "received")),
                        key=f"{environment}/{task}/{epoch}",
                        outcome="correct" if right else wrong,
                        stop=None if right or number % 2 else StopReason.REFUSAL,
                        oracle_calls=3 + number,
                        calls=4 + number * (1 if right else 3),
                        difficulty=1 + number % 3,
                        tags=["search" if number % 2 else "graphs"],
                    )
                )
    return path


def make_hostile_run(path: Path) -> Path:
    """A run whose texts are hostile and whose longest episode has ten megabytes and 256 turns."""
    long = [agent(HOSTILE, asked("look", {HOSTILE: n}, HOSTILE * 400), reasoning=HOSTILE) for n in range(256)]
    with RunDirectory.create(path, Configuration(agent=HOSTILE)) as directory:
        directory.append(
            trajectory(
                user(HOSTILE), *long, key="lift/long/1", outcome="incorrect", oracle_calls=5, tags=[HOSTILE]
            )
        )
        directory.append(trajectory(user(HOSTILE), key="lift/failed/1", outcome="failed", error=FAILURE))
    assert (path / "trajectories.jsonl").stat().st_size > 10_000_000
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    runs = [
        make_run(folder / name, name, solved) for name, solved in (("first", 2), ("second", 4), ("third", 0))
    ]
    codegym_mcp.report(runs, folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    codegym_mcp.report(make_hostile_run(folder / "run"), folder / "report.html")
    return folder / "report.html"


class Opened:
    """A page that is open, and what it said and asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(dialog.message))
        page.on("request", lambda request: self.requested.append(request.url))

    def open(self, path: Path) -> Any:
        self.page.goto(path.as_uri())
        return self.page

    def check_quiet(self, path: Path) -> None:
        assert self.said == []
        assert [url for url in self.requested if not url.startswith("data:")] == [path.as_uri()]


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[400, 1600])
def opened(request: pytest.FixtureRequest, browser: Any, scheme: str) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": request.param, "height": 900}, color_scheme=scheme)
    yield Opened(context.new_page())
    context.close()


OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('svg.chart')].map(chart =>
    [...chart.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]));
  const found = [];
  for (const chart of boxes)
    for (let i = 0; i < chart.length; i++)
      for (let j = i + 1; j < chart.length; j++) {
        const [a, b] = [chart[i][1], chart[j][1]];
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
          found.push(chart[i][0] + ' | ' + chart[j][0]);
      }
  return found;
}"""
CONTRAST = """() => {
  const luminance = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement('span');
  document.body.append(probe);
  const of = name => { probe.className = ''; probe.setAttribute('fill', ''); return style.getPropertyValue(name).trim(); };
  const rgb = hex => 'rgb(' + [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)).join(',') + ')';
  const page = luminance(rgb(of('--card')));
  const names = ['--text', '--soft', '--link', '--c0', '--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7',
                 '--correct', '--incorrect', '--other', '--failed'];
  return names.map(name => {
    const own = luminance(rgb(of(name)));
    return [name, (Math.max(own, page) + 0.05) / (Math.min(own, page) + 0.05)];
  }).filter(([_, ratio]) => ratio < 4.5);
}"""


def test_the_page_is_quiet_fits_and_is_legible(opened: Opened, report: Path) -> None:
    page = opened.open(report)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(CONTRAST) == []
    smallest = "Math.min(...[...document.querySelectorAll('svg.chart text')].map(t => t.getBoundingClientRect().height))"
    assert page.evaluate(smallest) >= 9
    opened.check_quiet(report)


def test_hostile_texts_do_nothing(opened: Opened, hostile_report: Path) -> None:
    assert hostile_report.stat().st_size < 200_000
    page = opened.open(hostile_report)
    assert page.title().startswith("Report")
    assert page.evaluate("document.scripts.length + document.images.length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "<script>document.title = 'run'" in page.inner_text("body")
    opened.check_quiet(hostile_report)


def test_axe_finds_no_violation(opened: Opened, report: Path) -> None:
    page = opened.open(report)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    told = [
        (each["id"], each["impact"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found
    ]
    assert told == []


def test_everything_is_reached_by_keyboard(opened: Opened, report: Path) -> None:
    page = opened.open(report)
    wanted = page.evaluate("document.querySelectorAll('a, summary, .table').length")
    reached = 0
    for _ in range(3 * wanted):
        page.keyboard.press("Tab")
        kind = page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className")
        if kind == "BODY.":
            break
        reached += 1
        if kind.startswith("SUMMARY"):
            was = page.evaluate("document.activeElement.parentElement.open")
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.parentElement.open") is not was
            if was:
                page.keyboard.press("Enter")
    assert reached == wanted


def test_every_chart_table_and_section_has_a_name(opened: Opened, report: Path) -> None:
    page = opened.open(report)
    unnamed = "document.querySelectorAll('svg.chart:not([aria-label]), .table:not([aria-label]), table:not(:has(caption))')"
    assert page.evaluate(f"{unnamed}.length") == 0
    assert page.evaluate("document.querySelectorAll('h1').length") == 1


def test_print_shows_what_is_folded_and_fits(browser: Any, report: Path, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    page = Opened(context.new_page()).open(report)
    page.emulate_media(media="print")
    folded = "[...document.querySelectorAll('details:not([open]) table')].filter(t => t.getBoundingClientRect().height < 5)"
    assert page.evaluate(f"{folded}.length") == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    context.close()


def test_pictures_for_the_documentation(browser: Any, report: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(viewport={"width": 1000, "height": 720})
    page = Opened(context.new_page()).open(report)
    page.screenshot(path=PICTURES / "report.png")
    page.locator("#calls").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#calls').scrollIntoView()")
    page.screenshot(path=PICTURES / "report-calls.png")
    context.close()
