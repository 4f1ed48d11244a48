"""A rope party on a glacier has left {marks} marks on its way, numbered from 0. At a mark a rope was tied to the ice
or untied, or it is only a resting place. There are thin and thick ropes. The marks are read in order. A rope that is
tied waits to be untied. Where a rope is untied, it is the one that was tied last and still waits, if that one is of
the same kind; otherwise, also if no rope waits, the mark is a false one, and the waiting ropes go on waiting. At the
end, the marks at which ropes were tied that still wait are false ones too.

Answer with the numbers of all false marks, in ascending order; the list may be empty.
"""

from typing import Literal

META = {
    "title": "Glacier ropes",
    "tags": ["parsing", "stacks"],
    "public": ["marks"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem bracket-mender",
}


class Environment:
    def __init__(self, marks: int, way: str):
        if marks < 1 or len(way) != marks or set(way) - set("()[]x"):
            raise ValueError("the way has one of the signs ( ) [ ] x for each mark")
        self.way = way

    def inspect_mark(self, mark: int) -> Literal["tied", "untied", "rest"]:
        """Look what was done at a mark.

        Args:
            mark: number of the mark.

        Returns:
            Whether a rope was tied or untied there, or "rest" for a resting place. The kind of rope does not show.
        """
        check_mark(mark, self.way)
        return {"(": "tied", "[": "tied", ")": "untied", "]": "untied", "x": "rest"}[self.way[mark]]

    def compare_ropes(self, mark: int, other: int) -> bool:
        """Compare the traces of the ropes at two marks: whether both ropes are thin or both are thick.

        Args:
            mark: number of one mark; refused if it is a resting place.
            other: number of the other mark; refused if it is a resting place.
        """
        for each in (mark, other):
            check_mark(each, self.way)
            if self.way[each] == "x":
                raise ValueError(f"mark {each} is a resting place")
        return (self.way[mark] in "()") == (self.way[other] in "()")


def check_mark(mark, way):
    if not 0 <= mark < len(way):
        raise ValueError(f"marks have the numbers 0 to {len(way) - 1}")


def find_false(way, drop):
    waiting, false = [], []
    for mark, sign in enumerate(way):
        if sign in "([":
            waiting.append(mark)
        elif sign in ")]":
            if waiting and way[waiting[-1]] + sign in ("()", "[]"):
                waiting.pop()
            else:
                false.append(mark)
                if waiting and drop:
                    false.append(waiting.pop())
    return sorted(false + waiting)


def reference(marks: int, way: str) -> list[int]:
    return find_false(way, False)


def mistakes(marks: int, way: str) -> dict[str, list[int]]:
    return {"a rope of the other kind stops waiting": find_false(way, True)}


def generate(random, difficulty):
    config = {}
    for attempt in range(60):
        marks = random.randint(*[(8, 10), (12, 15), (22, 27), (40, 48), (74, 90)][difficulty - 1])
        way, waiting = "", []
        while len(way) < marks:
            if waiting and random.random() < 0.5:
                sign = waiting.pop() if random.random() < 0.75 else random.choice(")]")
            else:
                sign = random.choice("([([x")
                if sign != "x":
                    waiting.append(")" if sign == "(" else "]")
            way += sign
        config = {"marks": marks, "way": way}
        if find_false(way, False) != find_false(way, True) and len(find_false(way, False)) <= 40:
            return config
    return config


def solve(tools, marks):
    waiting = []
    false_marks = []
    for mark in range(marks):
        kind = tools.inspect_mark(mark=mark)
        if kind == "tied":
            waiting.append(mark)
        elif kind == "untied":
            if waiting and tools.compare_ropes(mark=mark, other=waiting[-1]):
                waiting.pop()
            else:
                false_marks.append(mark)
    return sorted(false_marks + waiting)
