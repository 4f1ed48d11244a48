"""A clerk sorts index cards in place. Card c shows a year years[c] and a shelf mark marks[c], one
capital letter. The clerk takes the cards from left to right and puts each one back to the left,
past all sorted cards that have to come later: cards with a later year, or with the same year and a
later letter. Cards that are equal keep their order. Answer with the original numbers of the cards
in sorted order.

You are not shown years and marks; ask the tools about them.
"""


META = {
    'title': 'Card sorter',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem card-sorter',
    'license': 'MIT',
}


def comes_later_by_year(years, one, other):
    return years[one] > years[other]

def has_same_year(years, one, other):
    return years[one] == years[other]

def comes_later_by_mark(marks, one, other):
    return marks[one] > marks[other]

def sorted_cards(years, marks):
    order = []
    for card in range(len(years)):
        place = len(order)
        while place > 0:
            before = order[place - 1]
            later = comes_later_by_year(years, before, card)
            if not later and has_same_year(years, before, card):
                later = comes_later_by_mark(marks, before, card)
            if not later:
                break
            place -= 1
        order.insert(place, card)
    return order


class Environment:
    def __init__(self, years: list[int], marks: list[str]):
        self.years = years
        self.marks = marks

    def count_years(self) -> int:
        """Returns the length of `years`."""
        return len(self.years)

    def comes_later_by_year(self, one: int, other: int) -> bool:
        """Returns whether card `one` has a later year than card `other`.

        Args:
            one: position in `years`, counted from 0.
            other: position in `years`, counted from 0.
        """
        if not 0 <= one < len(self.years):
            raise ValueError(f"one must be at least 0 and less than {len(self.years)}.")
        if not 0 <= other < len(self.years):
            raise ValueError(f"other must be at least 0 and less than {len(self.years)}.")
        try:
            return comes_later_by_year(self.years, one, other)
        except Exception:
            raise ValueError("comes_later_by_year is not defined for this one and other; choose other arguments.")

    def has_same_year(self, one: int, other: int) -> bool:
        """Returns whether two cards have the same year.

        Args:
            one: position in `years`, counted from 0.
            other: position in `years`, counted from 0.
        """
        if not 0 <= one < len(self.years):
            raise ValueError(f"one must be at least 0 and less than {len(self.years)}.")
        if not 0 <= other < len(self.years):
            raise ValueError(f"other must be at least 0 and less than {len(self.years)}.")
        try:
            return bool(has_same_year(self.years, one, other))
        except Exception:
            raise ValueError("has_same_year is not defined for this one and other; choose other arguments.")

    def comes_later_by_mark(self, one: int, other: int) -> bool:
        """Returns whether card `one` has a later letter than card `other`.

        Args:
            one: position in `marks`, counted from 0.
            other: position in `marks`, counted from 0.
        """
        if not 0 <= one < len(self.marks):
            raise ValueError(f"one must be at least 0 and less than {len(self.marks)}.")
        if not 0 <= other < len(self.marks):
            raise ValueError(f"other must be at least 0 and less than {len(self.marks)}.")
        try:
            return comes_later_by_mark(self.marks, one, other)
        except Exception:
            raise ValueError("comes_later_by_mark is not defined for this one and other; choose other arguments.")


def reference(years: list[int], marks: list[str]) -> list[int]:
    return sorted_cards(years, marks)


def solve(tools):
    count_years = tools.count_years()
    order = []
    for card in range(count_years):
        place = len(order)
        while place > 0:
            before = order[place - 1]
            later = tools.comes_later_by_year(one=before, other=card)
            if not later and tools.has_same_year(one=before, other=card):
                later = tools.comes_later_by_mark(one=before, other=card)
            if not later:
                break
            place -= 1
        order.insert(place, card)
    return order
