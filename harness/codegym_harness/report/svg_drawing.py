"""Draws charts as SVG that is part of a page: the page's style gives colours, for light, dark and print.

Plotting libraries write fixed colours and text as outlines, or need a script to draw, so their charts would
not follow the page's colours. Charts here are 360 units wide and legible at the width of a phone. Runs are
told apart by letter and shape, not by colour alone. All texts are escaped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from math import log1p, sqrt

from markupsafe import Markup

from codegym_mcp.terminal_text import escape_control_characters

WIDTH = 360
_LEFT, _RIGHT = 26, 306
"""Ends of the plot of values; labels of runs are left of it, figures right."""
_ROW = 15
_COLOURS = 8
_SHAPES = 4


def element(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """Returns an SVG element; texts and attribute values are escaped.

    Args:
        attributes: `_` in a name stands for `-`, and a trailing one is dropped: `class_`, `text_anchor`.
    """
    written = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _rounded(value))
        for key, value in attributes.items()
    )
    inner = Markup().join(
        child if isinstance(child, Markup) else escape_control_characters(child) for child in children
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inner)


def colour_class(series: int | None) -> str:
    """Returns the class that gives a run its colour, or None its neutral one."""
    return "neutral" if series is None else f"c{series % _COLOURS}"


def marker(series: int | None, x: float, y: float, *, size: float = 4, hollow: bool = False) -> Markup:
    """Returns the mark of a run at a place: circle, square, diamond or triangle in the run's colour.

    Args:
        series: the number of the run; None for a value that belongs to no run, a neutral circle.
    """
    kind = f"{colour_class(series)}{' hollow' if hollow else ''}"
    series = series or 0
    match (series + series // _COLOURS) % _SHAPES:
        case 0:
            return element("circle", class_=kind, cx=x, cy=y, r=size)
        case 1:
            side = size * 1.8
            return element("rect", class_=kind, x=x - side / 2, y=y - side / 2, width=side, height=side)
        case 2:
            points = f"{x},{y - size * 1.3} {x + size * 1.3},{y} {x},{y + size * 1.3} {x - size * 1.3},{y}"
        case _:
            points = f"{x},{y - size * 1.2} {x + size * 1.15},{y + size} {x - size * 1.15},{y + size}"
    return element("polygon", class_=kind, points=points)


def legend_mark(series: int) -> Markup:
    """Returns the mark of a run as a small image beside its name."""
    return element("svg", marker(series, 7, 7), viewBox="0 0 14 14", class_="mark", aria_hidden="true")


@dataclass(frozen=True)
class Interval:
    """A mean with its interval, of one run, or of none if `series` is None."""

    series: int | None
    label: str
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class IntervalGroup:
    """Intervals with a common heading.

    Attributes:
        reference: a value that is drawn behind the intervals, such as the best baseline, or None.
    """

    heading: str
    intervals: Sequence[Interval]
    reference: float | None = None


def interval_chart(
    name: str,
    groups: Iterable[IntervalGroup],
    *,
    least: float = 0.0,
    form: str = ".2f",
    ends: tuple[str, str] | None = None,
) -> Markup:
    """Returns a chart of means with intervals, one row each, on an axis from `least` to 1.

    Args:
        ends: what values at the left and the right end of the axis mean.
    """

    def place(value: float) -> float:
        return _LEFT + (min(max(value, least), 1.0) - least) / (1.0 - least) * (_RIGHT - _LEFT)

    marks: list[Markup] = []
    y = 4.0
    for group in groups:
        if group.heading:
            y += 12
            marks.append(element("text", _fitted(group.heading, 56), class_="heading", x=0, y=y))
        top = y + 1
        bottom = top + _ROW * len(group.intervals) + 4
        if group.reference is not None:
            x = place(group.reference)
            marks.append(element("line", class_="reference", x1=x, x2=x, y1=top, y2=bottom))
        for interval in group.intervals:
            y += _ROW
            middle = y - 4
            if interval.label:
                marks.append(element("text", interval.label, class_="small", x=0, y=y))
            if interval.low is not None and interval.high is not None and interval.low < interval.high:
                low, high = place(interval.low), place(interval.high)
                kind = f"whisker {colour_class(interval.series)}"
                marks.append(element("line", class_=kind, x1=low, x2=high, y1=middle, y2=middle))
            marks.append(marker(interval.series, place(interval.mean), middle))
            figure = f"{interval.mean:{form}}"
            marks.append(element("text", figure, class_="small", x=WIDTH, y=y, text_anchor="end"))
        y += 7
    ticks = [least + (1.0 - least) * step / 4 for step in range(5)]
    height = y + (34 if ends is not None else 20)
    axis = [element("line", class_="grid", x1=place(at), x2=place(at), y1=2, y2=y) for at in ticks]
    axis += [_text(f"{at:g}", place(at), y + 12, "middle") for at in ticks]
    if ends is not None:
        axis += [_text(ends[0], _LEFT, y + 26, "start"), _text(ends[1], _RIGHT, y + 26, "end")]
    return _chart(name, height, [*axis, *marks])


@dataclass(frozen=True)
class Line:
    """Values of a run by a whole number.

    Attributes:
        points: x, y and the ends of the interval of y.
    """

    series: int
    points: Sequence[tuple[int, float, float | None, float | None]]
    dashed: bool = False


def line_chart(name: str, lines: Sequence[Line], *, x_name: str) -> Markup:
    """Returns a chart of lines on an axis from 0 to 1."""
    bottom = 190
    most = max((x for line in lines for x, *_ in line.points), default=1)

    def across(x: int) -> float:
        return 34 + (x - 1) / max(1, most - 1) * (WIDTH - 34 - 14)

    def up(y: float) -> float:
        return bottom - min(max(y, 0.0), 1.0) * (bottom - 12)

    marks: list[Markup] = []
    for step in range(5):
        y = up(step / 4)
        marks.append(element("line", class_="grid", x1=30, x2=WIDTH - 8, y1=y, y2=y))
        marks.append(_text(f"{step / 4:g}", 26, y + 3.5, "end"))
    step = max(1, round(most / 8))
    marks += [_text(str(x), across(x), bottom + 16, "middle") for x in range(1, most + 1, step)]
    marks.append(_text(x_name, WIDTH / 2, bottom + 30, "middle"))
    for line in lines:
        colour = colour_class(line.series)
        path = " ".join(f"{_rounded(across(x))},{_rounded(up(y))}" for x, y, *_ in line.points)
        marks.append(
            element("polyline", class_=f"line {colour}{' dashed' if line.dashed else ''}", points=path)
        )
        for x, y, low, high in line.points:
            if low is not None and high is not None and low < high:
                ends = {"x1": across(x), "x2": across(x), "y1": up(low), "y2": up(high)}
                marks.append(element("line", class_=f"thin {colour}", **ends))
            marks.append(marker(line.series, across(x), up(y), size=3.2, hollow=line.dashed))
    return _chart(name, bottom + 36, marks)


@dataclass(frozen=True)
class Point:
    """Episodes with the same numbers of calls and the same kind of outcome.

    Attributes:
        kind: the class of the mark: correct, incorrect or other.
    """

    x: int
    y: int
    kind: str
    count: int


def scatter_chart(name: str, points: Iterable[Point], *, most: int, x_name: str, y_name: str) -> Markup:
    """Returns a chart of calls against calls, both on a logarithmic axis from 0 to `most`.

    A mark stands at its exact place, and its area grows with the number of episodes.
    """
    left, bottom = 40.0, 262.0
    scale = log1p(max(most, 1))

    def across(value: float) -> float:
        return left + log1p(value) / scale * (WIDTH - left - 14)

    def up(value: float) -> float:
        return bottom - log1p(value) / scale * (bottom - 14)

    marks: list[Markup] = []
    for tick in _logarithmic_ticks(most):
        x, y = across(tick), up(tick)
        marks.append(element("line", class_="grid", x1=left, x2=WIDTH - 8, y1=y, y2=y))
        marks.append(element("line", class_="grid", x1=x, x2=x, y1=8, y2=bottom))
        marks.append(_text(str(tick), left - 5, y + 3.5, "end"))
        marks.append(_text(str(tick), x, bottom + 14, "middle"))
    ends = {"x1": across(0), "y1": up(0), "x2": across(most), "y2": up(most)}
    marks.append(element("line", class_="reference", **ends))
    marks.append(_text(x_name, (left + WIDTH) / 2, bottom + 30, "middle"))
    turned = f"rotate(-90 9 {bottom / 2})"
    marks.append(
        element("text", y_name, class_="small", x=9, y=bottom / 2, text_anchor="middle", transform=turned)
    )
    points = list(points)
    largest = max((point.count for point in points), default=1)
    # The largest are drawn first, so that they hide no other.
    for point in sorted(points, key=lambda each: -each.count):
        size = 2.6 + 5.4 * sqrt(point.count / largest) if largest > 1 else 3.5
        marks.append(_outcome_mark(point.kind, across(point.x), up(point.y), size))
    return _chart(name, bottom + 36, marks)


def outcome_legend_mark(kind: str) -> Markup:
    """Returns the mark of an outcome in scatter charts as a small image."""
    mark = _outcome_mark(kind, 7, 7, 4.5)
    return element("svg", mark, viewBox="0 0 14 14", class_="mark", aria_hidden="true")


@dataclass(frozen=True)
class Share:
    """A part of a bar."""

    kind: str
    label: str
    count: int


def share_chart(name: str, bars: Iterable[tuple[str, Sequence[Share]]]) -> Markup:
    """Returns a chart of bars of equal length that are divided by shares. Large parts hold their count."""
    marks: list[Markup] = []
    y = 2.0
    for heading, shares in bars:
        total = sum(share.count for share in shares)
        y += 12
        marks.append(element("text", _fitted(heading, 56), class_="heading", x=0, y=y))
        x = 0.0
        for share in shares:
            width = WIDTH * share.count / total if total else 0
            box = {"x": x, "y": y + 5, "width": max(width, 0.1), "height": 18}
            marks.append(element("rect", class_=f"share {share.kind}", **box))
            if width > 9 * len(str(share.count)) + 4:
                marks.append(
                    element(
                        "text",
                        str(share.count),
                        class_=f"on {share.kind}",
                        x=x + width / 2,
                        y=y + 18,
                        text_anchor="middle",
                    )
                )
            x += width
        y += 34
    return _chart(name, y, marks)


def _outcome_mark(kind: str, x: float, y: float, size: float) -> Markup:
    match kind:
        case "correct":
            return element("circle", class_="outcome correct", cx=x, cy=y, r=size)
        case "incorrect":
            reach = size * 0.85
            path = f"M{_rounded(x - reach)} {_rounded(y - reach)}l{_rounded(2 * reach)} {_rounded(2 * reach)}"
            path += f"m0 {_rounded(-2 * reach)}l{_rounded(-2 * reach)} {_rounded(2 * reach)}"
            return element("path", class_="outcome incorrect", d=path)
    return element("rect", class_="outcome other", x=x - size, y=y - size, width=2 * size, height=2 * size)


def _logarithmic_ticks(most: int) -> list[int]:
    """Returns 0, 1, 2, 5, 10, 20, 50, … up to a number."""
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    return [0, *takewhile(lambda step: step <= max(most, 1), steps)]


def _chart(name: str, height: float, marks: Iterable[Markup]) -> Markup:
    return element(
        "svg", *marks, viewBox=f"0 0 {WIDTH} {_rounded(height)}", class_="chart", role="img", aria_label=name
    )


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", text, class_="small", x=x, y=y, text_anchor=anchor)


def _fitted(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _rounded(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
