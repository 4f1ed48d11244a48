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
from markupsafe import Markup

from codegym_harness.report import report_charts, svg_charts
from codegym_harness.report.episode_excerpts import shorten
from codegym_harness.report.headlines import headlines
from codegym_harness.report.report_contents import Report
from codegym_mcp.errors import CodegymError
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.terminal_text import escape_control_characters

_POLICY = (
    "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
)
_TEXT_LENGTH = 1500
"""The maximum length of a text of a page in characters."""
NONE = "\N{EN DASH}"
"""Stands for a figure that does not exist."""
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
            marks=svg_charts,
            outcomes=report_charts.OUTCOMES,
            by_environment=lambda summary: summary.environments,
            by_tag=lambda summary: summary.tags,
            by_difficulty=lambda summary: summary.difficulties,
            several_attempts=any(len(run.summary.pass_at) > 1 for run in report.runs),
            most_rows=MOST_ROWS,
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
    templates.filters.update(number=_number, between=_between, signed=_signed, moment=_moment)
    return templates


def _safe_text(value: Any) -> Any:
    """Shortens a text of the page and shows its control characters; markup of the page itself is kept."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escape_control_characters(shorten(value, _TEXT_LENGTH))


def _number(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _between(interval: tuple[float | None, float | None], form: str = ".3f") -> str:
    low, high = interval
    return NONE if low is None or high is None else f"{low:{form}} to {high:{form}}"


def _moment(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC" if at else NONE
