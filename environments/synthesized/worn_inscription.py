"""A stone has an inscription of the letters "a" to "e"; a worn letter is written as ".". Scholars look
for mirror pieces: pieces of the inscription with an odd number of letters that read the same from
both ends. A worn letter counts as equal to every letter. Answer with a list with the position at
which the longest mirror piece begins, and its number of letters; of several longest pieces take the
one that begins first. Every single letter is a mirror piece. If there is no letter at all, return
[0, 0].

You are not shown stone; ask the tools about it.
"""


META = {
    'title': 'Worn inscription',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem worn-inscription',
    'license': 'MIT',
}


def is_worn(stone, place):
    return stone[place] == '.'

def have_same_letter(stone, one, other):
    return stone[one] == stone[other]

def longest_mirror(stone):
    length = len(stone)
    best = [0, min(length, 1)]
    for middle in range(length):
        reach = 0
        while middle - reach > 0 and middle + reach + 1 < length:
            left, right = (middle - reach - 1, middle + reach + 1)
            if not have_same_letter(stone, left, right):
                if not is_worn(stone, left):
                    if not is_worn(stone, right):
                        break
            reach += 1
        if 2 * reach + 1 > best[1]:
            best = [middle - reach, 2 * reach + 1]
    return best


class Environment:
    def __init__(self, stone: str):
        self.stone = stone

    def count_stone(self) -> int:
        """Returns the length of `stone`."""
        return len(self.stone)

    def have_same_letter(self, one: int, other: int) -> bool:
        """Returns whether two places have the same sign.

        Args:
            one: position in `stone`, counted from 0.
            other: position in `stone`, counted from 0.
        """
        if not 0 <= one < len(self.stone):
            raise ValueError(f"one must be at least 0 and less than {len(self.stone)}.")
        if not 0 <= other < len(self.stone):
            raise ValueError(f"other must be at least 0 and less than {len(self.stone)}.")
        try:
            return bool(have_same_letter(self.stone, one, other))
        except Exception:
            raise ValueError("have_same_letter is not defined for this one and other; choose other arguments.")

    def is_worn(self, place: int) -> bool:
        """Returns whether the letter at a place is worn.

        Args:
            place: position in `stone`, counted from 0.
        """
        if not 0 <= place < len(self.stone):
            raise ValueError(f"place must be at least 0 and less than {len(self.stone)}.")
        try:
            return bool(is_worn(self.stone, place))
        except Exception:
            raise ValueError("is_worn is not defined for this place; choose other arguments.")


def reference(stone: str) -> list[int]:
    return longest_mirror(stone)


def solve(tools):
    known_is_worn = {}

    def ask_is_worn(place):
        if place not in known_is_worn:
            known_is_worn[place] = tools.is_worn(place=place)
        return known_is_worn[place]
    count_stone = tools.count_stone()
    length = count_stone
    best = [0, min(length, 1)]
    for middle in range(length):
        reach = 0
        while middle - reach > 0 and middle + reach + 1 < length:
            left, right = (middle - reach - 1, middle + reach + 1)
            if not tools.have_same_letter(one=left, other=right):
                if not ask_is_worn(place=left):
                    if not ask_is_worn(place=right):
                        break
            reach += 1
        if 2 * reach + 1 > best[1]:
            best = [middle - reach, 2 * reach + 1]
    return best
