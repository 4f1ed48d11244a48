"""Two choirs sing from parts that are written as texts of the letters "a" to "g", one letter for each
note. The conductor reads both parts from the beginning, with one finger in each. If both fingers
point to the same note, both move on by one, and the note is counted as common. Otherwise the finger
on the lower note (the letter that comes earlier in the alphabet) moves on by one, and one mistake
is counted for its choir. The reading ends when a finger has passed the end of its part, or when one
choir has `limit` mistakes. Answer with a list: the number of common notes, the mistakes of the
first choir, the mistakes of the second choir.

You are not shown first and second; ask the tools about them. You know limit = {limit}.
"""


META = {
    'title': 'Twin choirs',
    'tags': ['traced'],
    'public': ['limit'],
    'source': 'codegym-mcp examples, problem twin-choirs',
    'license': 'MIT',
}


def notes_agree(first, second, place, other):
    return first[place] == second[other]

def first_is_lower(first, second, place, other):
    return first[place] < second[other]

def compare_parts(first, second, limit):
    place = other = common = 0
    mistakes = [0, 0]
    first_length, second_length = (len(first), len(second))
    while place < first_length and other < second_length and (max(mistakes) < limit):
        if notes_agree(first, second, place, other):
            common += 1
            place += 1
            other += 1
        elif first_is_lower(first, second, place, other):
            mistakes[0] += 1
            place += 1
        else:
            mistakes[1] += 1
            other += 1
    return [common, mistakes[0], mistakes[1]]


class Environment:
    def __init__(self, first: str, second: str, limit: int):
        self.first = first
        self.second = second

    def count_first(self) -> int:
        """Returns the length of `first`."""
        return len(self.first)

    def count_second(self) -> int:
        """Returns the length of `second`."""
        return len(self.second)

    def notes_agree(self, place: int, other: int) -> bool:
        """Returns whether the two fingers point to the same note.

        Args:
            place: position in `first`, counted from 0.
            other: position in `second`, counted from 0.
        """
        if not 0 <= place < len(self.first):
            raise ValueError(f"place must be at least 0 and less than {len(self.first)}.")
        if not 0 <= other < len(self.second):
            raise ValueError(f"other must be at least 0 and less than {len(self.second)}.")
        try:
            return bool(notes_agree(self.first, self.second, place, other))
        except Exception:
            raise ValueError("notes_agree is not defined for this place and other; choose other arguments.")

    def first_is_lower(self, place: int, other: int) -> bool:
        """Returns whether the first choir's finger points to the lower note.

        Args:
            place: position in `first`, counted from 0.
            other: position in `second`, counted from 0.
        """
        if not 0 <= place < len(self.first):
            raise ValueError(f"place must be at least 0 and less than {len(self.first)}.")
        if not 0 <= other < len(self.second):
            raise ValueError(f"other must be at least 0 and less than {len(self.second)}.")
        try:
            return bool(first_is_lower(self.first, self.second, place, other))
        except Exception:
            raise ValueError("first_is_lower is not defined for this place and other; choose other arguments.")


def reference(first: str, second: str, limit: int) -> list[int]:
    return compare_parts(first, second, limit)


def solve(tools, limit):
    count_first = tools.count_first()
    count_second = tools.count_second()
    common = 0
    other = 0
    place = 0
    mistakes = [0, 0]
    first_length, second_length = (count_first, count_second)
    while place < first_length and other < second_length and (max(mistakes) < limit):
        if tools.notes_agree(place=place, other=other):
            common += 1
            place += 1
            other += 1
        elif tools.first_is_lower(place=place, other=other):
            mistakes[0] += 1
            place += 1
        else:
            mistakes[1] += 1
            other += 1
    return [common, mistakes[0], mistakes[1]]
