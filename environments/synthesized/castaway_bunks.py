"""A rescue submarine takes {parties} parties of castaways on board, numbered from 0. They enter one after another
through the hatch compartment, {hatch}. A party sleeps in the first compartment that has a free bunk for everyone: it
asks in {hatch} and then in one compartment after another towards the stern, and if there is none, it turns round and
asks in the compartments on the other side of {hatch}, beginning beside it, one after another up to the bow. A party
for which there is no compartment sleeps in the passage. Bunks that are taken stay taken.

Lodge every party that finds a compartment; nobody can be moved afterwards. Answer with the numbers of the parties
that sleep in the passage, in ascending order; the list may be empty.
"""

from typing import Literal

META = {
    "title": "Castaway bunks",
    "tags": ["queues", "reservations"],
    "public": ["parties", "hatch"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem pilgrim-inns",
}


class Environment:
    def __init__(self, parties: int, hatch: str, names: list[str], bunks: list[int], sizes: list[int]):
        if parties < 1 or len(sizes) != parties or len(names) != len(bunks) or len(set(names)) != len(names):
            raise ValueError("there must be a size for each party, and bunks for each compartment")
        if hatch not in names or min(sizes) < 1 or min(bunks) < 0:
            raise ValueError("the hatch is a compartment, and parties have at least one member")
        self.names = names
        self.bunks = list(bunks)
        self.sizes = sizes
        self.lodged = {}

    def next_compartment(self, name: str, towards: Literal["bow", "stern"]) -> str | None:
        """Return the name of the compartment beside another one, or null if the hull ends there.

        Args:
            name: name of a compartment.
            towards: the side on which the next one lies.
        """
        place = find(self.names, name) + (1 if towards == "stern" else -1)
        return self.names[place] if 0 <= place < len(self.names) else None

    def has_room(self, name: str, party: int) -> bool:
        """Ask in a compartment whether it has a free bunk for everyone of a party now.

        Args:
            name: name of the compartment.
            party: number of the party.
        """
        place = find(self.names, name)
        check_party(party, self.sizes)
        return self.bunks[place] >= self.sizes[party]

    def lodge_party(self, name: str, party: int) -> int:
        """Lodge a party in a compartment for good; refused if it has no room or the party has been lodged.

        Args:
            name: name of the compartment.
            party: number of the party.

        Returns:
            The number of parties that have been lodged.
        """
        place = find(self.names, name)
        check_party(party, self.sizes)
        if str(party) in self.lodged:
            raise ValueError(f"party {party} has been lodged")
        if self.bunks[place] < self.sizes[party]:
            raise ValueError(f"{name} has no room for party {party}")
        self.bunks[place] -= self.sizes[party]
        self.lodged[str(party)] = name
        return len(self.lodged)

    def final_state(self) -> dict[str, str]:
        return self.lodged


def find(names, name):
    if name not in names:
        raise ValueError("no compartment has this name; next_compartment tells names")
    return names.index(name)


def check_party(party, sizes):
    if not 0 <= party < len(sizes):
        raise ValueError(f"parties have the numbers 0 to {len(sizes) - 1}")


def lodge(hatch, names, bunks, sizes):
    gate, free = names.index(hatch), list(bunks)
    lodged, outside = {}, []
    for party, size in enumerate(sizes):
        for place in [*range(gate, len(names)), *range(gate - 1, -1, -1)]:
            if free[place] >= size:
                free[place] -= size
                lodged[str(party)] = names[place]
                break
        else:
            outside.append(party)
    return lodged, outside


def reference(parties: int, hatch: str, names: list[str], bunks: list[int], sizes: list[int]) -> list[int]:
    return lodge(hatch, names, bunks, sizes)[1]


def accepts(
    answer: list[int],
    state: dict[str, str],
    parties: int,
    hatch: str,
    names: list[str],
    bunks: list[int],
    sizes: list[int],
) -> bool:
    lodged, outside = lodge(hatch, names, bunks, sizes)
    return answer == outside and state == lodged


def generate(random, difficulty):
    parties = random.randint(*[(5, 6), (7, 8), (11, 13), (17, 20), (25, 30)][difficulty - 1])
    count = random.randint(3, 3 + difficulty)
    names = ["Galley", "Sonar", "Chapel", "Engine", "Torpedo", "Mess", "Radio", "Medical", "Stores", "Ballast"]
    names = random.sample(names, count)
    sizes = [random.randint(1, 7) for party in range(parties)]
    whole = sum(sizes)
    bunks = [random.randint(whole // (2 * count), whole // count + 2) for place in range(count)]
    hatch = names[random.randrange(count)]
    return {"parties": parties, "hatch": hatch, "names": names, "bunks": bunks, "sizes": sizes}


def solve(tools, parties, hatch):
    order = [hatch]
    ends = {"stern": hatch, "bow": hatch}
    side = "stern"

    def another():
        # The next compartment in the order in which parties ask, or None after the last one.
        nonlocal side
        while side is not None:
            name = tools.next_compartment(name=ends[side], towards=side)
            if name is not None:
                ends[side] = name
                order.append(name)
                return name
            side = "bow" if side == "stern" else None
        return None

    outside = []
    for party in range(parties):
        place = 0
        while place < len(order) or another() is not None:
            if tools.has_room(name=order[place], party=party):
                tools.lodge_party(name=order[place], party=party)
                break
            place += 1
        else:
            outside.append(party)
    return outside
