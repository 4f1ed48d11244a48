"""What code tries against the language policy: reads `policy_payloads.txt`."""

import datetime
import json
import os
import random
import re
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType, MappingProxyType, TracebackType
from typing import Any


class Deadline(BaseException):
    """Stands for whatever ends environment code from outside; it is no `Exception`."""


def deadline() -> None:
    """What payloads call to meet it."""
    raise Deadline


@dataclass(frozen=True)
class Payload:
    """One attempt; the words are those of `policy_payloads.txt`.

    Attributes:
        name: what it is after.
        how: "refused", "guard" or "harmless".
        says: part of what the refusal or the exception says; empty for the harmless.
        canary: an expression over `loot`.
        source: the code.
    """

    name: str
    how: str
    says: str
    canary: str
    source: str

    def succeeds(self, loot: Any) -> bool:
        """Whether the loot is what it was after."""
        return bool(eval(self.canary, _CANARY_NAMES | {"loot": loot}))


def read_payloads() -> Iterator[Payload]:
    """All payloads of the file, in its order."""
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        if not block.startswith("# ") or "# canary: " not in block:
            continue
        name, stopped, canary, source = block.split("\n", 3)
        how, _, says = stopped.removeprefix("# ").partition(": ")
        yield Payload(name.removeprefix("# "), how, says, canary.removeprefix("# canary: "), source)


def _is_today(date: datetime.date) -> bool:
    return abs(date.toordinal() - datetime.date.today().toordinal()) <= 1


def _shows_an_address(text: str) -> bool:
    return re.search(r" at 0x[0-9a-f]+", text) is not None


_CANARY_NAMES = {
    "CodeType": CodeType,
    "FrameType": FrameType,
    "FunctionType": FunctionType,
    "MappingProxyType": MappingProxyType,
    "TracebackType": TracebackType,
    "is_today": _is_today,
    "json": json,
    "modules": sys.modules,
    "os": os,
    "random": random,
    "shows_an_address": _shows_an_address,
    "string": string,
}

BINDINGS = {
    "assignment": "{name} = 1",
    "annotated assignment": "{name}: int = 1",
    "addition": "def f():\n  global x\n  {name} += 1",
    "walrus": "({name} := 1)",
    "tuple": "{name}, x = 1, 2",
    "star": "*{name}, x = 1, 2",
    "loop": "for {name} in []: pass",
    "comprehension": "[0 for {name} in []]",
    "generator": "(0 for {name} in [])",
    "lambda": "lambda {name}: 0",
    "lambda keyword": "lambda *, {name}=1: 0",
    "function": "def {name}(): pass",
    "nested function": "def f():\n  def {name}(): pass",
    "method": "class A:\n  def {name}(self): pass",
    "argument": "def f({name}): pass",
    "positional argument": "def f({name}, /): pass",
    "keyword argument": "def f(*, {name}): pass",
    "arguments": "def f(*{name}): pass",
    "keyword arguments": "def f(**{name}): pass",
    "class": "class {name}: pass",
    "class attribute": "class A:\n  {name} = 1",
    "import": "import math as {name}",
    "import of a member": "from math import pi as {name}",
    "except": "try: pass\nexcept ValueError as {name}: pass",
    "with": "def f(x):\n  with x as {name}: pass",
    "deletion": "def f():\n  del {name}",
    "global": "def f():\n  global {name}\n  {name} = 1",
    "nonlocal": "def g({name}):\n  def f():\n    nonlocal {name}",
    "match": "match 1:\n  case {name}: pass",
    "match mapping": "match 1:\n  case {{**{name}}}: pass",
    "match star": "match 1:\n  case [*{name}]: pass",
}
"""Every way in which Python binds a name, as the field `name`."""
