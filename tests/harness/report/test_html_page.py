"""The page of a report: no text of an agent or an environment becomes markup."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegym_harness.report.build_report import build_report
from codegym_harness.report.html_page import MOST_ROWS, html_page
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.errors import CodegymError
from tests.conversations import agent, asked, trajectory, user
from tests.made_runs import Configuration, made_run

ALLOWED = set(
    "html head meta link title style body header main section nav h1 h2 h3 p ul ol li a b strong span code dl dt dd "
    "div table caption thead tbody tr th td figure figcaption article details summary "
    "svg line circle rect polygon polyline path text".split()
)
VOID = {"meta", "link"}
HOSTILE = (
    '<script>alert(1)</script></style></svg><img src=x onerror="alert(1)">{{ 7*7 }}{% raw %}\x1b[31m\u202e\u2066'
    "\x00\ud800]]>--><!--&lt;"
)


class Tags(HTMLParser):
    """The tags of a page, which must be balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.opened == []
    assert tags.found <= ALLOWED
    assert not any(name.startswith("on") or name in ("style", "src") for name in tags.attributes)
    return tags


def hostile_run(path: Path, text: str, repeat: int = 1) -> Path:
    """A run in which every text that an agent or an environment gives is this one."""
    key = f"{text.replace('/', '')[:50]}/{text.replace('/', '')[:50]}/1"
    with RunDirectory.create(path, Configuration(agent=text)) as directory:
        for outcome in ("incorrect", "no_submission"):
            step = agent(text * repeat, asked(text, {text: text * repeat}, text * repeat), reasoning=text)
            record = trajectory(
                user(text * repeat),
                step,
                key=key,
                outcome=outcome,
                tags=[text],
                oracle_calls=1,
                limits_met=[text],
            )
            directory.append(record)
            key = key[:-1] + "2"
    return path


@pytest.mark.filterwarnings("ignore")
def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    text = HOSTILE.replace("\ud800", "")  # A record cannot hold a lone surrogate.
    page = html_page(build_report([hostile_run(tmp_path / "run", text)]))
    tags = parsed(page)
    assert "<script" not in page
    assert "alert(1)" in tags.text
    assert "{{ 7*7 }}" in tags.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)


@settings(max_examples=10, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_no_text_changes_the_structure_of_the_page(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = hostile_run(tmp_path_factory.mktemp("runs") / "run", text or "-")
    parsed(html_page(build_report([run])))


def test_ten_megabytes_of_text_make_a_small_page(tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", "<b>wörds</b> ", 300_000)
    assert (run / "trajectories.jsonl").stat().st_size > 10_000_000
    page = html_page(build_report([run]))
    assert len(page) < 60_000
    parsed(page)


def test_nothing_but_the_style_of_the_page_is_allowed(tmp_path: Path) -> None:
    made_run(tmp_path / "run", {"lift/low/1": "correct"})
    page = html_page(build_report([tmp_path / "run"]))
    assert re.search(r"content=\"default-src &#39;none&#39;; style-src &#39;sha256-[^&]+&#39;", page)
    assert not re.search(r"https?://", page)
    parsed(page)


def test_many_environments_are_cut_off_in_charts_and_tables_and_counted(tmp_path: Path) -> None:
    many = MOST_ROWS + 20
    made_run(tmp_path / "run", {f"env{n:04}/low/1": ("correct", "incorrect")[n % 2] for n in range(many)})
    page = html_page(build_report([tmp_path / "run"]))
    assert "20 further rows are left out" in page
    assert f"The chart shows the first 30 of {many}" in page
    parsed(page)


def test_every_chart_has_a_name_and_a_table(tmp_path: Path) -> None:
    keys = {f"lift/low/{epoch}": outcome for epoch, outcome in enumerate(("correct", "incorrect"), 1)}
    made_run(tmp_path / "first", keys)
    made_run(tmp_path / "second", keys)
    page = html_page(build_report([tmp_path / "first", tmp_path / "second"]))
    charts = re.findall(r'<svg viewBox="[^"]+" class="chart" role="img" aria-label="([^"]+)"', page)
    assert "pass@k and pass^k" in charts
    assert page.count('class="chart"') == len(charts)
    for figure in re.findall(r"<figure>.*?</figure>", page, re.S):
        assert "<table" in figure or "Mean reward of each run" in figure


def test_a_page_is_not_written_over_other_files(tmp_path: Path) -> None:
    from codegym_harness.report.html_page import write_page

    made_run(tmp_path / "run", {"lift/low/1": "correct"})
    report = build_report([tmp_path / "run"])
    with pytest.raises(CodegymError, match=r"does not end with \.html"):
        write_page(report, tmp_path / "run" / "trajectories.jsonl")


def test_values_that_are_all_alike_have_no_interval_and_one_line_instead_of_a_chart(tmp_path: Path) -> None:
    keys = ["lift/low/1", "lift/high/1", "pump/a/1", "pump/b/1"]
    made_run(tmp_path / "first", dict.fromkeys(keys, "correct"))
    made_run(tmp_path / "second", dict.fromkeys(keys, "incorrect"))
    page = parsed(html_page(build_report([tmp_path / "first", tmp_path / "second"]))).text
    assert "1.000 to 1.000" not in page
    assert "All 4 rewards are equal, so no interval can be computed; this is not certainty." in page
    assert "All 4 failures had one reason: wrong answer." in page
    assert "B scored less than A on all 4 common tasks: mean difference -1.000." in page
    assert "The same in all 2: A someone 1.00, B someone 0.00." in page
    assert "Table: all 4 tasks; runs differ on each" in page
    assert "pass@k" not in page


def test_runs_that_score_the_same_are_told_in_one_sentence(tmp_path: Path) -> None:
    for name in ("first", "second"):
        made_run(tmp_path / name, {"lift/low/1": "correct", "lift/high/1": "incorrect"})
    page = parsed(html_page(build_report([tmp_path / "first", tmp_path / "second"]))).text
    assert "A and B scored the same on all 2 common tasks." in page


def test_the_oracle_is_a_reference_agent_and_not_compared_with_itself(tmp_path: Path) -> None:
    for name in ("oracle", "own"):
        with RunDirectory.create(tmp_path / name, Configuration(agent=name)) as directory:
            directory.append(trajectory(user("Go."), key="lift/low/1", oracle_calls=3, calls=3))
    report = build_report([tmp_path / "oracle", tmp_path / "own"])
    assert [run.reference_agent for run in report.runs] == ["oracle", None]
    page = html_page(report)
    assert "plays the environment&#39;s own solution" in page
    assert "In its median solved episode, A made" not in page
    assert "In its median solved episode, B made 1.00 times the oracle&#39;s calls." in page
    assert "Calls of A against" not in page
    assert "Calls of B against" in page


def test_a_long_task_is_cut_after_a_sentence_and_unfolds(tmp_path: Path) -> None:
    task = "Find the floor of the bell. " * 40
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        record = trajectory(user(task), key="lift/low/1", outcome="incorrect", oracle_calls=1, calls=2)
        directory.append(record)
    report = build_report([tmp_path / "run"])
    part = report.episodes[0].excerpt[0]
    assert part.text.endswith("of the bell.")
    assert f"{part.text} {part.rest}" == task.strip()
    assert f"<summary>The rest of the task</summary>{part.rest}" in html_page(report)


def test_a_mark_of_calls_stands_at_its_exact_place(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        for number, calls in enumerate((17, 18, 19)):
            key = f"lift/t{number}/1"
            directory.append(trajectory(user("Go."), key=key, oracle_calls=calls, calls=calls))
    (chart,) = re.findall(
        r'<svg [^>]*aria-label="Calls of A.*?</svg>', html_page(build_report([tmp_path / "run"]))
    )
    marks = re.findall(r'<circle class="outcome correct" cx="([^"]+)" cy="([^"]+)"', chart)
    line = re.search(r'class="reference" x1="([^"]+)" y1="([^"]+)" x2="([^"]+)" y2="([^"]+)"', chart)
    assert line is not None
    x1, y1, x2, y2 = map(float, line.groups())
    assert len(marks) == 3
    for x, y in marks:
        assert float(y) == pytest.approx(y1 + (float(x) - x1) * (y2 - y1) / (x2 - x1), abs=0.2)
