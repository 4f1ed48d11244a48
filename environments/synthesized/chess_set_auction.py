"""A chess club sells old sets to its {members} members, numbered from 0. Each member has some coins and collects sets
of one wood. {sets} sets, numbered from 0, are sold one after another. A set goes to the richest one of the members
who collect its wood; of several equally rich ones, to the one with the smallest number. The buyer pays what the
second richest one of them has; a member with as many coins as the buyer counts as second. If only one member
collects the wood, this one pays {reserve} coins. A set is not sold if nobody collects its wood, or if the richest
one has less than {reserve} coins. A second richest one with less than {reserve} coins changes nothing: the price is
what this one has.

Sell the sets. Answer with a list that has, for each set in order, the number of its buyer, or -1 if it was not sold.
"""

from typing import Literal

META = {
    "title": "Chess set auction",
    "tags": ["games", "auctions"],
    "public": ["members", "sets", "reserve"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem lot-auction",
}


class Environment:
    def __init__(self, members: int, sets: int, reserve: int, purses: list[int], tastes: list[str], woods: list[str]):
        if members < 1 or sets < 1 or reserve < 0 or len(purses) != members or len(tastes) != members:
            raise ValueError("there must be a purse and a taste for each member")
        if len(woods) != sets or min(purses) < 0:
            raise ValueError("there must be a wood for each set, and nobody has less than 0 coins")
        self.purses = list(purses)
        self.tastes = tastes
        self.woods = woods
        self.reserve = reserve
        self.sold = []

    def list_collectors(self, number: int) -> list[int]:
        """Return the numbers of the members who collect the wood of a set, in ascending order.

        Args:
            number: number of the set.
        """
        check("set", number, self.woods)
        return [member for member, taste in enumerate(self.tastes) if taste == self.woods[number]]

    def compare_purses(self, member: int, other: int) -> Literal["poorer", "equal", "richer"]:
        """Compare two members: whether the first one has fewer or more coins than the second one now.

        Args:
            member: number of the first member.
            other: number of the second member.
        """
        check("member", member, self.tastes)
        check("member", other, self.tastes)
        if self.purses[member] == self.purses[other]:
            return "equal"
        return "richer" if self.purses[member] > self.purses[other] else "poorer"

    def can_pay_reserve(self, member: int) -> bool:
        """Ask whether a member has at least the reserve now.

        Args:
            member: number of the member.
        """
        check("member", member, self.tastes)
        return self.purses[member] >= self.reserve

    def sell_set(self, number: int, buyer: int, second: int | None) -> int:
        """Sell a set: the buyer pays as many coins as the second has, or the reserve if there is no second.

        Args:
            number: number of the set; refused if it has been sold.
            buyer: number of the member who buys it; refused if the coins are not enough.
            second: number of the member whose coins are the price, or null for the reserve.

        Returns:
            The number of sets that have been sold.
        """
        check("set", number, self.woods)
        check("member", buyer, self.tastes)
        price = self.reserve
        if second is not None:
            check("member", second, self.tastes)
            price = self.purses[second]
        if number in self.sold:
            raise ValueError(f"set {number} has been sold")
        if second == buyer or price > self.purses[buyer]:
            raise ValueError("buyer and second must differ, and the buyer must be able to pay the price")
        self.purses[buyer] -= price
        self.sold.append(number)
        return len(self.sold)


def check(what, number, items):
    if not 0 <= number < len(items):
        raise ValueError(f"{what} must be between 0 and {len(items) - 1}")


def auction(reserve, purses, tastes, woods):
    left, buyers = list(purses), []
    for wood in woods:
        ranked = sorted(
            [member for member in range(len(left)) if tastes[member] == wood], key=lambda member: (-left[member], member)
        )
        if not ranked or left[ranked[0]] < reserve:
            buyers.append(-1)
            continue
        price = left[ranked[1]] if len(ranked) > 1 else reserve
        left[ranked[0]] -= price
        buyers.append(ranked[0])
    return buyers


def reference(
    members: int, sets: int, reserve: int, purses: list[int], tastes: list[str], woods: list[str]
) -> list[int]:
    return auction(reserve, purses, tastes, woods)


def generate(random, difficulty):
    members = random.randint(*[(5, 6), (7, 9), (10, 12), (14, 17), (18, 22)][difficulty - 1])
    sets = [3, 5, 7, 11, 17][difficulty - 1]
    woods = random.sample(["ebony", "maple", "olive", "walnut", "birch"], 2 + difficulty // 2)
    reserve = random.randint(4, 9)
    tastes = [random.choice(woods) for member in range(members)]
    purses = [random.randint(reserve // 2, 30 * reserve) for member in range(members)]
    wanted = [random.choice([*tastes, *tastes, "cherry"]) for number in range(sets)]
    return {"members": members, "sets": sets, "reserve": reserve, "purses": purses, "tastes": tastes, "woods": wanted}


def solve(tools, members, sets, reserve):
    # Special cases: nobody collects the wood; one collector; the richest has less than the reserve; equally rich ones.
    answer = []
    for number in range(sets):
        collectors = tools.list_collectors(number=number)
        richest = second = None
        for member in collectors:
            if richest is None:
                richest = member
            elif tools.compare_purses(member=member, other=richest) == "richer":
                richest, second = member, richest
            elif second is None or tools.compare_purses(member=member, other=second) == "richer":
                second = member
        if richest is None or not tools.can_pay_reserve(member=richest):
            answer.append(-1)
        else:
            tools.sell_set(number=number, buyer=richest, second=second)
            answer.append(richest)
    return answer
