"""The plots of the report, as SVG that is equal for equal results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from codegym_harness.statistics.estimators import Estimate

Curve = Sequence[tuple[int, float]]
"""Values, each with its step."""
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
"""Okabe and Ito's colours, which people with colour blindness tell apart."""


def plot_curves(
    curves: Mapping[str, Curve], path: Path, *, value: str, smoothed: int = 1, logarithmic: bool = False
) -> None:
    """Plots learning curves, one for each training seed.

    Args:
        curves: the curve of each label.
        value: what is plotted, for the axis.
        smoothed: the number of steps of the moving average; the values themselves are pale beside it.
        logarithmic: whether the axis of the values is logarithmic.
    """
    figure, axes = _figure()
    for colour, (label, curve) in zip(_COLOURS, curves.items(), strict=False):
        steps, values = zip(*curve, strict=True)
        if smoothed > 1:
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
        axes.plot(steps, moving_average(values, smoothed), color=colour, linewidth=1.8, label=label)
    if logarithmic:
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel(value)
    axes.legend(frameon=False)
    _save(figure, path)


def plot_rewards(rewards: Mapping[str, Mapping[str, Estimate]], path: Path) -> None:
    """Plots mean rewards with their intervals.

    Args:
        rewards: for each model, the reward on each set of tasks.
    """
    figure, axes = _figure()
    width = 0.8 / len(rewards)
    for number, (colour, (model, estimates)) in enumerate(zip(_COLOURS, rewards.items(), strict=False)):
        places = [place + (number - (len(rewards) - 1) / 2) * width for place in range(len(estimates))]
        means = [estimate.mean for estimate in estimates.values()]
        below = [each.mean - (each.mean if each.low is None else each.low) for each in estimates.values()]
        above = [(each.mean if each.high is None else each.high) - each.mean for each in estimates.values()]
        axes.bar(places, means, width * 0.9, yerr=(below, above), color=colour, label=model, capsize=3)
        axes.set_xticks(range(len(estimates)), list(estimates))
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("mean reward, with 95 % interval")
    axes.legend(frameon=False)
    _save(figure, path)


def moving_average(values: Sequence[float], window: int) -> list[float]:
    """Returns the mean of each value and of up to `window - 1` values before it."""
    means = []
    for end in range(1, len(values) + 1):
        recent = values[max(0, end - window) : end]
        means.append(sum(recent) / len(recent))
    return means


def _figure() -> tuple[plt.Figure, Axes]:
    mpl.rcParams.update({"svg.hashsalt": "codegym-mcp", "svg.fonttype": "none", "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    return figure, axes


def _save(figure: plt.Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
