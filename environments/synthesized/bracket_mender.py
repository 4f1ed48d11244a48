"""A program text has round brackets "(" and ")", square brackets "[" and "]" and other characters,
which are all written as "x". It is read from the left. An opening bracket waits for its partner. A
closing bracket is the partner of the opening bracket that was read last and still waits, if it is
of the same kind; otherwise (also if no bracket waits) it has no partner, and the waiting ones go on
waiting. Answer with the positions of all brackets without a partner, in ascending order.

You are not shown text; ask the tools about it.
"""


META = {
    'title': 'Bracket mender',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem bracket-mender',
    'license': 'MIT',
}


def is_bracket(text, place):
    return text[place] != 'x'

def is_opening(text, place):
    return text[place] in '(['

def are_partners(text, opening, closing):
    return text[opening] + text[closing] in ('()', '[]')

def lonely_brackets(text):
    waiting = []
    lonely = []
    for place in range(len(text)):
        if not is_bracket(text, place):
            continue
        if is_opening(text, place):
            waiting.append(place)
        elif waiting and are_partners(text, waiting[-1], place):
            waiting.pop()
        else:
            lonely.append(place)
    return sorted(waiting + lonely)


class Environment:
    def __init__(self, text: str):
        self.text = text

    def count_text(self) -> int:
        """Returns the length of `text`."""
        return len(self.text)

    def is_bracket(self, place: int) -> bool:
        """Returns whether there is a bracket at a place.

        Args:
            place: position in `text`, counted from 0.
        """
        if not 0 <= place < len(self.text):
            raise ValueError(f"place must be at least 0 and less than {len(self.text)}.")
        try:
            return bool(is_bracket(self.text, place))
        except Exception:
            raise ValueError("is_bracket is not defined for this place; choose other arguments.")

    def is_opening(self, place: int) -> bool:
        """Returns whether there is an opening bracket at a place.

        Args:
            place: position in `text`, counted from 0.
        """
        if not 0 <= place < len(self.text):
            raise ValueError(f"place must be at least 0 and less than {len(self.text)}.")
        try:
            return bool(is_opening(self.text, place))
        except Exception:
            raise ValueError("is_opening is not defined for this place; choose other arguments.")

    def are_partners(self, opening: int, closing: int) -> bool:
        """Returns whether the bracket at `closing` closes one like the bracket at `opening`.

        Args:
            opening: position in `text`, counted from 0.
            closing: position in `text`, counted from 0.
        """
        if not 0 <= opening < len(self.text):
            raise ValueError(f"opening must be at least 0 and less than {len(self.text)}.")
        if not 0 <= closing < len(self.text):
            raise ValueError(f"closing must be at least 0 and less than {len(self.text)}.")
        try:
            return bool(are_partners(self.text, opening, closing))
        except Exception:
            raise ValueError("are_partners is not defined for this opening and closing; choose other arguments.")


def reference(text: str) -> list[int]:
    return lonely_brackets(text)


def solve(tools):
    count_text = tools.count_text()
    waiting = []
    lonely = []
    for place in range(count_text):
        if not tools.is_bracket(place=place):
            continue
        if tools.is_opening(place=place):
            waiting.append(place)
        elif waiting and tools.are_partners(opening=waiting[-1], closing=place):
            waiting.pop()
        else:
            lonely.append(place)
    return sorted(waiting + lonely)
