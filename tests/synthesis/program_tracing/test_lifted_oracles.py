"""Every way to lift a solution gives an oracle with the solution's answers, or refuses the solution."""

import ast
import copy
import json
from typing import Any

import pytest

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import (
    write_class,
    write_oracle,
    write_program,
)
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import VARIATIONS
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.solution_execution.variable_recording import NOTE, record_variables
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program, read_program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.typed_json_values import ENCODER, decode
from codegym_mcp.synthesis.program_tracing.value_shapes import json_form, shape_of

SOLUTIONS = {
    "runs of equal members": (
        "from itertools import groupby\n\ndef f(xs):\n    return [[len(list(run)), x] for x, run in groupby(xs)]",
        [([1, 1, 2, 3, 3],), ([7],), ([],)],
    ),
    "runs by a key": (
        "import itertools\n\ndef f(text):\n    parts = []\n"
        "    for known, run in itertools.groupby(text, key=str.isdigit):\n        if not known:\n            continue\n"
        "        parts.append(''.join(run))\n    return parts",
        [("a12b3",), ("99",), ("xy",)],
    ),
    "members of both lists": ("def f(a, b):\n    return set(a) & set(b)", [([1, 2, 2], [2, 3]), ([1], [4])]),
    "members of one list": (
        "def f(a, b):\n    return sorted(set(a).symmetric_difference(b))",
        [([1, 2, 2], [2, 3]), ([1], [1])],
    ),
    "rows of a table": (
        "def f(xs):\n    rows = [[0] * len(xs) for _ in range(max(xs))]\n    for place, x in enumerate(xs):\n"
        "        for row in range(x):\n            rows[row][place] = 1\n    return [sum(row) for row in rows]",
        [([2, 1],), ([3, 3, 1],)],
    ),
    "members of the set of a word": (
        "def f(words, letters):\n    known = {'q', 'w'}\n"
        "    return [word for word in words if set(word.lower()).issubset(known)]",
        [(["qw", "a"], 1), (["W"], 1)],
    ),
    "a table of values": (
        "def f(text):\n    value = {'I': 1, 'V': 5, 'X': 10}\n    total = 0\n    for i in range(len(text)):\n"
        "        if i > 0 and value[text[i]] > value[text[i - 1]]:\n            total -= 2 * value[text[i - 1]]\n"
        "        total += value[text[i]]\n    return total",
        [("XIV",), ("VI",), ("IX",)],
    ),
    "a function in a function": (
        "def f(xs, k):\n    found = []\n    near = lambda one, other: abs(one - other) < k\n"
        "    def take(place):\n        if place < len(xs) and near(xs[place], xs[0]):\n"
        "            found.append(place)\n            take(place + 1)\n    take(0)\n    return found",
        [([3, 4, 9, 3], 2), ([5], 1), ([1, 2, 3], 5)],
    ),
    "a set of seen values": (
        "def f(xs):\n    seen = set()\n    for x in xs:\n        if x in seen:\n            return x\n"
        "        seen.add(x)\n    return -1",
        [([3, 1, 4, 1, 5],), ([2, 7, 8],), ([5, 5],)],
    ),
    "a dict of counts": (
        "def f(words):\n    counts = {}\n    for word in words:\n        counts[word] = counts.get(word, 0) + 1\n"
        "    return counts",
        [(["a", "b", "a"],), (["c"],)],
    ),
    "a counter": (
        "from collections import Counter\n\ndef f(text):\n    counts = Counter(text)\n"
        "    return [letter for letter in counts if counts[letter] > 1]",
        [("abcab",), ("xyz",), ("aab",)],
    ),
    "lists by key": (
        "from collections import defaultdict\n\ndef f(words):\n    groups = defaultdict(list)\n"
        "    for word in words:\n        groups[len(word)].append(word)\n"
        "    return [groups[size] for size in sorted(groups)]",
        [(["aa", "b", "cc"],), (["x"],)],
    ),
    "a sort of records by exchange": (
        "def f(xs):\n    for i in range(len(xs)):\n        for j in range(len(xs) - i - 1):\n"
        "            if xs[j][1] > xs[j + 1][1]:\n                kept = xs[j]\n                xs[j] = xs[j + 1]\n"
        "                xs[j + 1] = kept\n    return xs",
        [([(1, 3), (3, 2), (2, 1)],), ([(9, 9), (8, 1)],)],
    ),
    "a heap": (
        "import heapq\n\ndef f(xs, k):\n    heap = []\n    for x in xs:\n        heapq.heappush(heap, x)\n"
        "        if len(heap) > k:\n            heapq.heappop(heap)\n    return heapq.heappop(heap)",
        [([5, 1, 9, 3], 2), ([4, 4, 2], 1)],
    ),
    "a heap of all values": (
        "import heapq as hq\n\ndef f(xs):\n    hq.heapify(xs)\n    return [hq.heappop(xs) for i in range(len(xs))]",
        [([5, 1, 9, 3],), ([4, 4, 2],)],
    ),
    "the first that fits": (
        "def f(xs):\n    return next((x for x in xs if x % 2), -1)",
        [([2, 4, 7, 9],), ([2],), ([1],)],
    ),
    "the first that fits of nested lists": (
        "def f(rows):\n    return next((x for row in rows for x in row if x > 3), 0)",
        [([[1, 2], [4, 9]],), ([[1], [2]],)],
    ),
    "different letters": ("def f(text):\n    return len(set(text)) == len(text)", [("abc",), ("aba",)]),
    "sorted letters": ("def f(text):\n    return ''.join(sorted(text))", [("banana",), ("ba",)]),
    "a stack": (
        "def f(text):\n    stack = []\n    for letter in text:\n        if stack and stack[-1] == letter:\n"
        "            stack.pop()\n        else:\n            stack.append(letter)\n    return ''.join(stack)",
        [("abba",), ("abcc",), ("a",)],
    ),
    "pairs from a queue": (
        "from collections import deque\n\ndef f(grid):\n    queue = deque()\n    queue.append((0, 0))\n    seen = set()\n"
        "    while queue:\n        i, j = queue.popleft()\n        if (i, j) in seen or grid[i][j] == 0:\n"
        "            continue\n        seen.add((i, j))\n        if i + 1 < len(grid):\n"
        "            queue.append((i + 1, j))\n        if j + 1 < len(grid[0]):\n            queue.append((i, j + 1))\n"
        "    return len(seen)",
        [([[1, 1], [0, 1]],), ([[1, 0], [1, 1]],)],
    ),
    "entries of a dict": (
        "def f(table, least):\n    return {key: value for key, value in table.items() if value >= least}",
        [({"a": 3, "b": 1}, 2), ({"c": 5}, 9)],
    ),
    "recursion over the rest of a list": (
        "def f(xs):\n    if not xs:\n        return 0\n    return (1 if xs[0] > 2 else 0) + f(xs[1:])",
        [([3, 1, 4, 1, 5],), ([2, 7, 8],), ([],)],
    ),
    "recursion over the rests of texts": (
        "def f(text, one, other):\n    if not one:\n        return text == other\n    if not other:\n        return text == one\n"
        "    if not text:\n        return one + other == ''\n    if text[0] == one[0] and f(text[1:], one[1:], other):\n"
        "        return True\n    return text[0] == other[0] and f(text[1:], one, other[1:])",
        [
            ("codewars", "cdw", "oears"),
            ("codewars", "code", "wasr"),
            ("xyxy", "xy", "xy"),
            ("abcd", "ad", "bc"),
        ],
    ),
    "recursion over halves": (
        "def f(xs):\n    if len(xs) == 1:\n        return xs[0]\n    mid = len(xs) // 2\n    one, other = f(xs[:mid]), f(xs[mid:])\n"
        "    return one if one > other else other",
        [([3, 1, 4, 1, 5],), ([2, 7, 8, 9],), ([6],)],
    ),
    "recursion over parts within parts": (
        "def f(xs, x):\n    if not xs:\n        return False\n    mid = len(xs) // 2\n    if xs[mid] == x:\n        return True\n"
        "    if xs[mid] > x:\n        return f(xs[0:mid], x)\n    return f(xs[mid + 1:len(xs)], x)",
        [([1, 3, 4, 6, 9], 6), ([1, 3, 4, 6, 9], 1), ([2, 7, 8, 9], 3), ([6], 6)],
    ),
    "a loop whose variable has no name": (
        "def f(xs):\n    rows = [[0 for _ in xs] for _ in xs]\n    for _ in xs:\n        rows[0][0] += 1\n"
        "    return [xs[k] * rows[0][0] for k in range(len(xs))]",
        [([3, 1, 4],), ([2],)],
    ),
    "a function that shares the name of its variable": (
        "def best(xs):\n    best = 0\n    for x in xs:\n        if x > best:\n            best = x\n    return best",
        [([3, 9, 4],), ([1],)],
    ),
}


class RecordedTools:
    """The tools of a lifted class; arguments and results pass through JSON, as between an agent and a server."""

    def __init__(self, tools: object) -> None:
        self._tools = tools

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            sent = json.loads(json.dumps({key: json_form(value) for key, value in arguments.items()}))
            return json.loads(json.dumps(json_form(getattr(self._tools, name)(**sent))))

        return call


def variable_shapes(program: Program, calls: list[tuple[Any, ...]]) -> dict[tuple[str, str], Any]:
    """Returns the shapes of the variables, from calls."""
    scope: dict[str, Any] = {}
    exec("\n\n".join([ENCODER, NOTE, ast.unparse(record_variables(program.tree))]), scope)
    for call in calls:
        scope[program.entry.name](*copy.deepcopy(call))
    noted: dict[tuple[str, str], list[Any]] = {}
    for function, name, value in scope["NOTED"]:
        noted.setdefault((function, name), []).append(value)
    shapes = {}
    for place, values in noted.items():
        try:
            shapes[place] = shape_of(map(decode, values))
        except RefusedProblemError:
            continue
    return shapes


def play(program: Program, lifted: LiftedProgram, shapes: dict[str, Any], call: tuple[Any, ...]) -> Any:
    """Returns the answer of the oracle."""
    scope: dict[str, Any] = {}
    parts = [
        write_program(program),
        write_class("LiftedTools", program, lifted, shapes),
        write_oracle(lifted),
    ]
    exec("\n\n".join(parts), scope)
    config = {name: json_form(value) for name, value in zip(program.parameters, call, strict=True)}
    public = {name: config[name] for name in lifted.public}
    return json_form(scope["solve"](RecordedTools(scope["LiftedTools"](**copy.deepcopy(config))), **public))


@pytest.mark.parametrize(("source", "calls"), SOLUTIONS.values(), ids=SOLUTIONS)
def test_each_way_to_lift_a_solution_gives_its_answers(source: str, calls: list[tuple[Any, ...]]) -> None:
    program = read_program(source, (), next(reversed(ast.parse(source).body)).name)
    variables = variable_shapes(program, calls)
    shapes = {name: shape_of(call[place] for call in calls) for place, name in enumerate(program.parameters)}
    scope: dict[str, Any] = {}
    exec(write_program(program), scope)
    played = 0
    for variation in VARIATIONS:
        hidden = [name for name in program.parameters if not shapes[name].is_scalar]
        try:
            lifted = lift(program, hidden, variables, shapes, variation)
        except RefusedProblemError:
            continue
        for call in calls:
            right = json_form(scope[program.entry.name](*copy.deepcopy(call)))
            assert play(program, lifted, shapes, call) == right, variation.name
            played += 1
    assert played
