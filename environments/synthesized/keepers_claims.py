"""The lighthouse service pays its keepers for repairs, out of a budget of {budget} coins. {claims} claims, numbered
from 0, are checked in the order of their numbers. A claim is refused if it was handed in more than {days} days after
the repair, if its amount is greater than the rest of the budget, or if two claims of the same keeper have been
accepted already. An accepted claim is paid out of the budget at once.

Pay the claims that are to be accepted. Answer with the rest of the budget.
"""

from typing import TypedDict

META = {
    "title": "Keepers' claims",
    "tags": ["accounting", "approvals"],
    "public": ["budget", "claims", "days"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem travel-claims",
}


class Environment:
    def __init__(self, budget: int, claims: int, days: int, keepers: list[str], amounts: list[int], delays: list[int]):
        if budget < 0 or claims < 1 or days < 0 or {len(keepers), len(amounts), len(delays)} != {claims}:
            raise ValueError("there must be a keeper, an amount and a delay for each claim")
        if min(amounts + delays) < 0:
            raise ValueError("amounts and delays cannot be negative")
        self.rest = budget
        self.keepers = keepers
        self.amounts = amounts
        self.delays = delays
        self.paid = []

    def days_late(self, claim: int) -> int:
        """Return how many days after the repair a claim was handed in.

        Args:
            claim: number of the claim.
        """
        check_claim(claim, self.keepers)
        return self.delays[claim]

    def same_keeper(self, claim: int, other: int) -> bool:
        """Compare the signatures of two claims: whether they are by the same keeper.

        Args:
            claim: number of one claim.
            other: number of the other claim.
        """
        check_claim(claim, self.keepers)
        check_claim(other, self.keepers)
        return self.keepers[claim] == self.keepers[other]

    def pay_claim(self, claim: int) -> int | None:
        """Pay a claim out of the budget, for good; refused if it has been paid. Only the budget is checked.

        Args:
            claim: number of the claim.

        Returns:
            The amount that was paid, or null if it is greater than the rest of the budget; then nothing is paid.
        """
        check_claim(claim, self.keepers)
        if claim in self.paid:
            raise ValueError(f"claim {claim} has been paid")
        if self.amounts[claim] > self.rest:
            return None
        self.rest -= self.amounts[claim]
        self.paid.append(claim)
        return self.amounts[claim]

    def final_state(self) -> list[int]:
        return sorted(self.paid)


def check_claim(claim, keepers):
    if not 0 <= claim < len(keepers):
        raise ValueError(f"claims have the numbers 0 to {len(keepers) - 1}")


def accept(budget, days, keepers, amounts, delays, most):
    accepted, rest = [], budget
    for claim in range(len(keepers)):
        earlier = sum(keepers[other] == keepers[claim] for other in accepted)
        if delays[claim] <= days and amounts[claim] <= rest and earlier < most:
            accepted.append(claim)
            rest -= amounts[claim]
    return accepted, rest


def reference(
    budget: int, claims: int, days: int, keepers: list[str], amounts: list[int], delays: list[int]
) -> int:
    return accept(budget, days, keepers, amounts, delays, 2)[1]


def accepts(
    answer: int,
    state: list[int],
    budget: int,
    claims: int,
    days: int,
    keepers: list[str],
    amounts: list[int],
    delays: list[int],
) -> bool:
    accepted, rest = accept(budget, days, keepers, amounts, delays, 2)
    return answer == rest and state == accepted


class Outcome(TypedDict):
    answer: int
    state: list[int]


def mistakes(
    budget: int, claims: int, days: int, keepers: list[str], amounts: list[int], delays: list[int]
) -> dict[str, Outcome]:
    unlimited, rest_unlimited = accept(budget, days, keepers, amounts, delays, claims)
    late, rest_late = accept(budget, 10**6, keepers, amounts, delays, 2)
    return {
        "no limit for a keeper": {"answer": rest_unlimited, "state": unlimited},
        "late claims are paid": {"answer": rest_late, "state": late},
    }


def generate(random, difficulty):
    claims = random.randint(*[(6, 7), (8, 10), (12, 14), (17, 20), (24, 28)][difficulty - 1])
    names = ["Ada", "Bo", "Cleo", "Dan", "Ewa", "Finn", "Gro", "Hal", "Ina", "Jon"][: 2 + claims // 4]
    keepers = [random.choice(names) for claim in range(claims)]
    amounts = [random.randint(5, 90) for claim in range(claims)]
    days = random.randint(10, 30)
    delays = [random.choice([random.randint(0, days), days, days + 1, random.randint(0, days), 2 * days]) for claim in range(claims)]
    budget = int(sum(amounts) * random.uniform(0.35, 0.6))
    return {
        "budget": budget,
        "claims": claims,
        "days": days,
        "keepers": keepers,
        "amounts": amounts,
        "delays": delays,
    }


def solve(tools, budget, claims, days):
    once = []
    twice = []
    rest = budget
    for claim in range(claims):
        if tools.days_late(claim=claim) > days:
            continue
        if any(tools.same_keeper(claim=claim, other=other) for other in twice):
            continue
        paid = tools.pay_claim(claim=claim)
        if paid is None:
            continue
        rest -= paid
        for other in once:
            if tools.same_keeper(claim=claim, other=other):
                once.remove(other)
                twice.append(other)
                break
        else:
            once.append(claim)
    return rest
