"""The two environments that every server of the comparison serves, as plain Python objects."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
_BUNDLED = _HERE.parents[1] / "environments"


class PlainEnvironment(NamedTuple):
    """An environment and the call that is made again and again.

    Attributes:
        source: the environment's file.
        make: returns a new object whose methods are the tools.
        tool: the tool that is called.
        arguments: the arguments of each call.
    """

    source: Path
    make: Callable[[], Any]
    tool: str
    arguments: dict[str, Any]


def counter() -> PlainEnvironment:
    """Returns an environment whose calls do almost nothing."""
    source = _HERE / "counter.py"
    cls = runpy.run_path(str(source))["Environment"]
    return PlainEnvironment(source, lambda: cls(goal=10), "add", {"amount": 1})


def parcel_hunt() -> PlainEnvironment:
    """Returns a bundled environment at its first fixed task; the call reads a manifest."""
    source = _BUNDLED / "parcel_hunt.py"
    cls = runpy.run_path(str(source))["Environment"]
    config = json.loads(source.with_suffix(".jsonl").read_text().partition("\n")[0])["config"]
    return PlainEnvironment(source, lambda: cls(config), "manifest", {"aisle": 1})


ENVIRONMENTS: dict[str, Callable[[], PlainEnvironment]] = {"counter": counter, "parcel_hunt": parcel_hunt}
