"""A loom works by a card, a text of the letters "r", "l", "t" and "u". It has threads in a row;
slack[k] is the slack of thread k in millimetres. The needle begins at thread 0 and the tension is
`tension` (the greater, the tighter). The letters are carried out from the left. "r" moves the
needle one thread to the right and "l" one to the left; at the ends of the row the needle stays
where it is. "u" lowers the tension by 1. "t" is a tie: if the slack of the thread at the needle is
greater than the tension, a knot is made there, the thread loses as much slack as the tension says,
and the letter after the "t" is skipped; otherwise the tension grows by 2. Answer with the list of
the threads at which knots were made, in order. There is at least one thread, and a tension below 1
counts as 1 when a thread loses slack.

You are not shown card and slack; ask the tools about them. You know tension = {tension}.
"""


META = {
    'title': 'Loom card',
    'tags': ['traced'],
    'public': ['tension'],
    'source': 'codegym-mcp examples, problem loom-card',
    'license': 'MIT',
}


def orders(card, place, letter):
    return card[place] == letter

def is_slack(slack, thread, tension):
    return slack[thread] > tension

def knots(card, slack, tension):
    threads = len(slack)
    length = len(card)
    needle = place = 0
    made = []
    while place < length:
        if orders(card, place, 't'):
            if is_slack(slack, needle, tension):
                made.append(needle)
                slack[needle] -= max(1, tension)
                place += 1
            else:
                tension += 2
        elif orders(card, place, 'r'):
            needle = min(needle + 1, threads - 1)
        elif orders(card, place, 'l'):
            needle = max(needle - 1, 0)
        else:
            tension -= 1
        place += 1
    return made


class Environment:
    def __init__(self, card: str, slack: list[int], tension: int):
        self.card = card
        self.slack = slack

    def count_slack(self) -> int:
        """Returns the length of `slack`."""
        return len(self.slack)

    def count_card(self) -> int:
        """Returns the length of `card`."""
        return len(self.card)

    def orders(self, place: int, letter: str) -> bool:
        """Returns whether the card has `letter` at a place.

        Args:
            place: position in `card`, counted from 0.
            letter: a text, for example 'l' or 'r' or 't'.
        """
        if not 0 <= place < len(self.card):
            raise ValueError(f"place must be at least 0 and less than {len(self.card)}.")
        try:
            return bool(orders(self.card, place, letter))
        except Exception:
            raise ValueError("orders is not defined for this place and letter; choose other arguments.")

    def is_slack(self, thread: int, tension: int) -> bool:
        """Returns whether the slack of a thread is greater than `tension`.

        Args:
            thread: position in `slack`, counted from 0.
            tension: a whole number, for example the `tension` of the task.
        """
        if not 0 <= thread < len(self.slack):
            raise ValueError(f"thread must be at least 0 and less than {len(self.slack)}.")
        try:
            return bool(is_slack(self.slack, thread, tension))
        except Exception:
            raise ValueError("is_slack is not defined for this thread and tension; choose other arguments.")

    def change_slack_minus(self, needle: int, value: int) -> None:
        """Subtracts `value` from `slack[needle]`.

        Args:
            needle: position in `slack`, counted from 0.
            value: a whole number.
        """
        if not 0 <= needle < len(self.slack):
            raise ValueError(f"needle must be at least 0 and less than {len(self.slack)}.")
        try:
            self.slack[needle] -= value
        except Exception:
            raise ValueError("change_slack_minus is not defined for this needle and value; choose other arguments.")


def reference(card: str, slack: list[int], tension: int) -> list[int]:
    return knots(card, slack, tension)


def solve(tools, tension):
    count_card = tools.count_card()
    threads = tools.count_slack()
    length = count_card
    place = 0
    needle = 0
    made = []
    while place < length:
        if tools.orders(place=place, letter='t'):
            if tools.is_slack(thread=needle, tension=tension):
                made.append(needle)
                tools.change_slack_minus(needle=needle, value=max(1, tension))
                place += 1
            else:
                tension += 2
        elif tools.orders(place=place, letter='r'):
            needle = min(needle + 1, threads - 1)
        elif tools.orders(place=place, letter='l'):
            needle = max(needle - 1, 0)
        else:
            tension -= 1
        place += 1
    return made
