"""Two players take pebbles from piles; piles[p] is the number of pebbles of pile p, which may be 0.
Player A begins and always takes from the largest pile (of several, the one with the smallest
number): `handful` pebbles (at least 1), or all if there are fewer. Player B always takes one pebble
from the first pile, counted from pile 0, that is not empty and is not the one from which A has just
taken; if there is no such pile, B passes. They move in turn, `moves` moves in all, passing
included; the game ends earlier when all piles are empty. Answer with the list of the piles from
which was taken, in order, with -1 where B passed.

You are not shown piles; ask the tools about it. You know handful = {handful}, moves = {moves}.
"""


META = {
    'title': 'Pebble piles',
    'tags': ['traced'],
    'public': ['handful', 'moves'],
    'source': 'codegym-mcp examples, problem pebble-piles',
    'license': 'MIT',
}


def is_larger(piles, one, other):
    return piles[one] > piles[other]

def is_empty(piles, pile):
    return piles[pile] == 0

def taken(piles, handful, moves):
    count = len(piles)
    order = []
    while count > 0 and len(order) < moves:
        if len(order) % 2 == 0:
            best = 0
            for pile in range(1, count):
                if is_larger(piles, pile, best):
                    best = pile
            if is_empty(piles, best):
                break
            piles[best] = max(0, piles[best] - handful)
            order.append(best)
            continue
        choice = -1
        for pile in range(count):
            if pile != order[-1] and (not is_empty(piles, pile)):
                choice = pile
                piles[pile] -= 1
                break
        if choice < 0 and is_empty(piles, order[-1]):
            break
        order.append(choice)
    return order


class Environment:
    def __init__(self, piles: list[int], handful: int, moves: int):
        self.piles = piles

    def count_piles(self) -> int:
        """Returns the length of `piles`."""
        return len(self.piles)

    def is_larger(self, one: int, other: int) -> bool:
        """Returns whether pile `one` has more pebbles than pile `other`.

        Args:
            one: position in `piles`, counted from 0.
            other: position in `piles`, counted from 0.
        """
        if not 0 <= one < len(self.piles):
            raise ValueError(f"one must be at least 0 and less than {len(self.piles)}.")
        if not 0 <= other < len(self.piles):
            raise ValueError(f"other must be at least 0 and less than {len(self.piles)}.")
        try:
            return bool(is_larger(self.piles, one, other))
        except Exception:
            raise ValueError("is_larger is not defined for this one and other; choose other arguments.")

    def is_empty(self, pile: int) -> bool:
        """Returns whether a pile has no pebbles.

        Args:
            pile: position in `piles`, counted from 0.
        """
        if not 0 <= pile < len(self.piles):
            raise ValueError(f"pile must be at least 0 and less than {len(self.piles)}.")
        try:
            return bool(is_empty(self.piles, pile))
        except Exception:
            raise ValueError("is_empty is not defined for this pile; choose other arguments.")

    def set_piles_to_max_0(self, best: int, handful: int) -> None:
        """Sets `piles[best]` to the greatest of 0 and `piles[best]` minus `handful`.

        Args:
            best: position in `piles`, counted from 0.
            handful: a whole number, for example the `handful` of the task.
        """
        if not 0 <= best < len(self.piles):
            raise ValueError(f"best must be at least 0 and less than {len(self.piles)}.")
        try:
            self.piles[best] = max(0, self.piles[best] - handful)
        except Exception:
            raise ValueError("set_piles_to_max_0 is not defined for this best and handful; choose other arguments.")

    def change_piles_minus_1(self, pile: int) -> None:
        """Subtracts 1 from `piles[pile]`.

        Args:
            pile: position in `piles`, counted from 0.
        """
        if not 0 <= pile < len(self.piles):
            raise ValueError(f"pile must be at least 0 and less than {len(self.piles)}.")
        try:
            self.piles[pile] -= 1
        except Exception:
            raise ValueError("change_piles_minus_1 is not defined for this pile; choose other arguments.")


def reference(piles: list[int], handful: int, moves: int) -> list[int]:
    return taken(piles, handful, moves)


def solve(tools, handful, moves):
    count = tools.count_piles()
    order = []
    while count > 0 and len(order) < moves:
        if len(order) % 2 == 0:
            best = 0
            for pile in range(1, count):
                if tools.is_larger(one=pile, other=best):
                    best = pile
            if tools.is_empty(pile=best):
                break
            tools.set_piles_to_max_0(best=best, handful=handful)
            order.append(best)
            continue
        choice = -1
        for pile in range(count):
            if pile != order[-1] and (not tools.is_empty(pile=pile)):
                choice = pile
                tools.change_piles_minus_1(pile=pile)
                break
        if choice < 0 and tools.is_empty(pile=order[-1]):
            break
        order.append(choice)
    return order
