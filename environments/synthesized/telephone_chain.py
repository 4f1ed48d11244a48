"""A chess club has {members} members, numbered from 0. Some have left the club. The others pass news on by
telephone: two members who have each other's number can tell each other news, directly or over others
who have not left.

For every member find the smallest number of a member with whom news can be exchanged, directly, over
others, or because it is the member itself. Answer with a list that has this number for each member in
order, and -1 for a member who has left the club.
"""

META = {
    "title": "Telephone chain",
    "tags": ["graphs", "components"],
    "public": ["members"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem signal-fires",
}


class Environment:
    def __init__(self, members: int, homes: list[list[int]], near: int, left: list[int]):
        if members != len(homes) or any(len(home) != 2 for home in homes) or near < 0:
            raise ValueError("every member needs a home with two coordinates")
        if not all(0 <= member < members for member in left):
            raise ValueError("only members can have left")
        self.homes = homes
        self.near = near
        self.left = left

    def has_left(self, member: int) -> bool:
        """Tell whether a member has left the club.

        Args:
            member: the number of the member.
        """
        check_member(member, self.homes)
        return member in self.left

    def have_numbers(self, member: int, other: int) -> bool:
        """Tell whether two members have each other's telephone number; refused for members who have left.

        Args:
            member: the number of a member.
            other: the number of another member.
        """
        check_member(member, self.homes)
        check_member(other, self.homes)
        if member in self.left or other in self.left or member == other:
            raise ValueError("this needs two different members who have not left the club")
        return are_near(self.homes, member, other, self.near)


def check_member(member, homes):
    if not 0 <= member < len(homes):
        raise ValueError(f"the members have the numbers 0 to {len(homes) - 1}")


def are_near(homes, one, other, near):
    return sum(abs(a - b) for a, b in zip(homes[one], homes[other])) <= near


def chains(members, homes, near, left):
    groups = [-1 if member in left else member for member in range(members)]
    for first in range(members):
        if groups[first] != first:
            continue
        waiting = [first]
        for here in waiting:
            for there in range(first + 1, members):
                if groups[there] == there and are_near(homes, here, there, near):
                    groups[there] = first
                    waiting.append(there)
    return groups


def reference(members: int, homes: list[list[int]], near: int, left: list[int]) -> list[int]:
    return chains(members, homes, near, left)


def mistakes(members: int, homes: list[list[int]], near: int, left: list[int]) -> dict[str, list[int]]:
    direct = [
        -1
        if member in left
        else min(
            other for other in range(member + 1) if other not in left and are_near(homes, member, other, near)
        )
        for member in range(members)
    ]
    return {"only direct calls": direct}


def generate(random, difficulty):
    members = [6, 8, 11, 14, 19][difficulty - 1]
    near = [9, 8, 7, 6, 5][difficulty - 1]
    while True:
        config = {
            "members": members,
            "homes": [[random.randint(0, 15), random.randint(0, 15)] for member in range(members)],
            "near": near,
            "left": sorted(random.sample(range(members), random.randint(1, members // 4))),
        }
        right = reference(**config)
        if len(set(right)) < members and right not in mistakes(**config).values():
            return config


def solve(tools, members):
    leader = {}
    asked = set()
    for member in range(members):
        if not tools.has_left(member=member):
            leader[member] = member
    people = sorted(leader)
    for place, member in enumerate(people):
        for other in people[place + 1 :]:
            # Members who are joined already need not be asked.
            if leader[member] == leader[other]:
                continue
            if tools.have_numbers(member=member, other=other):
                low, high = sorted((leader[member], leader[other]))
                for each in people:
                    if leader[each] == high:
                        leader[each] = low
    return [leader.get(member, -1) for member in range(members)]
