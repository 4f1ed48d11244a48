"""Writes a report as one HTML file without scripts, which needs nothing from elsewhere.

Texts of agents and environments are shortened, their control characters are shown as escapes, and Jinja
escapes them. The page's policy allows its own style alone, so nothing else could load or run.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from codegym_harness.report import report_charts, svg_drawing
from codegym_harness.report.episode_excerpts import shorten
from codegym_harness.report.key_findings import headlines
from codegym_harness.report.reference_agents import DESCRIPTIONS
from codegym_harness.report.report_contents import Report
from codegym_harness.report.run_figures import NONE, between, number, run_figures
from codegym_mcp.errors import CodegymError
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.terminal_text import escape_control_characters

_POLICY = (
    "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
)
_TEXT_LENGTH = 1500
"""The maximum length of a text of a page in characters."""
MOST_ROWS = 400
"""The maximum number of rows of a table."""


def html_page(report: Report) -> str:
    """Returns the page of a report."""
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            style=Markup(style),  # noqa: S704 (a file of this package)
            policy=_POLICY.format(digest=digest),
            headlines=headlines(report),
            charts=report_charts,
            marks=svg_drawing,
            outcomes=report_charts.OUTCOMES,
            agents=DESCRIPTIONS,
            by_environment=lambda summary: summary.environments,
            by_tag=lambda summary: summary.tags,
            by_difficulty=lambda summary: summary.difficulties,
            several_attempts=any(len(run.summary.pass_at) > 1 for run in report.runs),
            most_rows=MOST_ROWS,
            shared_settings=_shared_settings(report),
            run_figures=run_figures(report),
        )
    )


def write_page(report: Report, out: Path) -> None:
    """Writes the page of a report, whose file is replaced if it exists.

    Raises:
        CodegymError: the file does not end with .html, or cannot be written.
    """
    check_page(out)
    write_atomically(out, html_page(report), hint="Name another file.")


def check_page(out: Path) -> None:
    """Checks the name of the file of a page.

    Raises:
        CodegymError: the file does not end with .html.
    """
    if out.suffix not in (".html", ".htm"):
        raise CodegymError(f"{out} does not end with .html.", hint="A report is an HTML file.")


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("codegym_harness.report", ""),
        autoescape=True,
        finalize=_safe_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(number=number, between=between, signed=_signed, moment=_moment, whole=_whole)
    return templates


def _safe_text(value: Any) -> Any:
    """Shortens a text of the page and shows its control characters; markup of the page itself is kept."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escape_control_characters(shorten(value, _TEXT_LENGTH))


def _shared_settings(report: Report) -> dict[str, str]:
    """Returns the settings that all runs have in common, if there are several runs."""
    if len(report.runs) < 2:
        return {}
    first, *others = (run.settings for run in report.runs)
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _whole(value: str) -> Markup:
    """Returns a text that is not shortened."""
    return escape(escape_control_characters(value))


def _moment(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC" if at else NONE
