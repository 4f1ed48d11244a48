"""Visitors queue at a museum with one turnstile; they are numbered in the order of the queue. Visitor
v arrives at the minute arrivals[v], and kinds[v] is "c" for a card, with which passing takes 1
minute, or "p" for a printed ticket, with which it takes 4 minutes. The turnstile serves one visitor
after another, from the minute 0 on. If the next visitor has not arrived yet, it waits for that
visitor. A visitor who has waited for more than `patience` minutes when it is the visitor's turn
goes home at once and takes no time. Answer with a list with the number of visitors who went home
and the minute in which the turnstile gets free at the end (0 if nobody has passed it).

You are not shown arrivals and kinds; ask the tools about them. You know patience = {patience}.
"""


META = {
    'title': 'Museum tickets',
    'tags': ['traced'],
    'public': ['patience'],
    'source': 'codegym-mcp examples, problem museum-tickets',
    'license': 'MIT',
}


def has_arrived(arrivals, visitor, minute):
    return arrivals[visitor] <= minute

def has_lost_patience(arrivals, visitor, minute, patience):
    return minute - arrivals[visitor] > patience

def has_printed_ticket(kinds, visitor):
    return kinds[visitor] == 'p'

def run_turnstile(arrivals, kinds, patience):
    gone = minute = 0
    for visitor in range(len(arrivals)):
        if has_arrived(arrivals, visitor, minute):
            if has_lost_patience(arrivals, visitor, minute, patience):
                gone += 1
                continue
        else:
            minute += 1
            while not has_arrived(arrivals, visitor, minute):
                minute += 1
        minute += 4 if has_printed_ticket(kinds, visitor) else 1
    return [gone, minute]


class Environment:
    def __init__(self, arrivals: list[int], kinds: list[str], patience: int):
        self.arrivals = arrivals
        self.kinds = kinds

    def count_arrivals(self) -> int:
        """Returns the length of `arrivals`."""
        return len(self.arrivals)

    def has_arrived(self, visitor: int, minute: int) -> bool:
        """Returns whether a visitor arrives at `minute` or before.

        Args:
            visitor: position in `arrivals`, counted from 0.
            minute: a whole number.
        """
        if not 0 <= visitor < len(self.arrivals):
            raise ValueError(f"visitor must be at least 0 and less than {len(self.arrivals)}.")
        try:
            return bool(has_arrived(self.arrivals, visitor, minute))
        except Exception:
            raise ValueError("has_arrived is not defined for this visitor and minute; choose other arguments.")

    def has_lost_patience(self, visitor: int, minute: int, patience: int) -> bool:
        """Returns whether a visitor has waited for more than `patience` minutes at `minute`.

        Args:
            visitor: position in `arrivals`, counted from 0.
            minute: a whole number.
            patience: a whole number, for example the `patience` of the task.
        """
        if not 0 <= visitor < len(self.arrivals):
            raise ValueError(f"visitor must be at least 0 and less than {len(self.arrivals)}.")
        try:
            return bool(has_lost_patience(self.arrivals, visitor, minute, patience))
        except Exception:
            raise ValueError("has_lost_patience is not defined for this visitor, minute and patience; choose other arguments.")

    def has_printed_ticket(self, visitor: int) -> bool:
        """Returns whether a visitor has a printed ticket.

        Args:
            visitor: position in `kinds`, counted from 0.
        """
        if not 0 <= visitor < len(self.kinds):
            raise ValueError(f"visitor must be at least 0 and less than {len(self.kinds)}.")
        try:
            return bool(has_printed_ticket(self.kinds, visitor))
        except Exception:
            raise ValueError("has_printed_ticket is not defined for this visitor; choose other arguments.")


def reference(arrivals: list[int], kinds: list[str], patience: int) -> list[int]:
    return run_turnstile(arrivals, kinds, patience)


def solve(tools, patience):
    count_arrivals = tools.count_arrivals()
    minute = 0
    gone = 0
    for visitor in range(count_arrivals):
        if tools.has_arrived(visitor=visitor, minute=minute):
            if tools.has_lost_patience(visitor=visitor, minute=minute, patience=patience):
                gone += 1
                continue
        else:
            minute += 1
            while not tools.has_arrived(visitor=visitor, minute=minute):
                minute += 1
        minute += 4 if tools.has_printed_ticket(visitor=visitor) else 1
    return [gone, minute]
