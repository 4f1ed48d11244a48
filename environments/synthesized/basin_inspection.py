"""The {basins} basins of a water works, numbered from 0, are joined by pipes. A pipe may exist from a basin to
another one and not back. An inspection robot is to go from basin 0 to basin {goal} through as few pipes as
possible. It fits through some pipes only, and may only enter a basin whose floor carries it; basin 0 does.

At the beginning the robot is in basin 0. The crane can lower it into any basin whose floor carries it, and the robot
can try the mouths of the pipes of the basin where it is. Find the way. Answer with the list of basins on it, with both ends. If several ways have as few pipes, answer
with the list that is the smallest, compared number by number from the beginning. If there is no way, answer with
an empty list.
"""

META = {
    "title": "Basin inspection",
    "tags": ["graphs", "shortest path"],
    "public": ["basins", "goal"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem raft-crossing",
}


class Environment:
    def __init__(self, basins: int, goal: int, pipes: list[list[int]], weak: list[int]):
        if basins < 2 or goal != basins - 1 or len(pipes) != basins:
            raise ValueError("there are at least two basins, the goal is the last one, and each has a list of pipes")
        if any(not 0 <= end < basins or end == start for start in range(basins) for end in pipes[start]):
            raise ValueError("pipes lead to other basins")
        if any(not 0 < basin < basins for basin in weak):
            raise ValueError("weak basins are numbers of basins other than 0")
        self.pipes = pipes
        self.weak = weak
        self.place = 0

    def lower_robot(self, basin: int) -> bool:
        """Let the crane lower the robot into a basin.

        Args:
            basin: number of the basin.

        Returns:
            Whether the floor carries the robot; if it does not, the crane takes it back to where it was.
        """
        check_basin(basin, self.pipes)
        if basin in self.weak:
            return False
        self.place = basin
        return True

    def try_pipe(self, to: int) -> bool:
        """Let the robot try the pipe from the basin where it is to another one; it does not drive through.

        Args:
            to: number of the basin to which the pipe leads.

        Returns:
            Whether there is a pipe to that basin and the robot fits through it.
        """
        check_basin(to, self.pipes)
        if to == self.place:
            raise ValueError("the robot is in this basin; name another one")
        return to in self.pipes[self.place]


def check_basin(basin, pipes):
    if not 0 <= basin < len(pipes):
        raise ValueError(f"basins have the numbers 0 to {len(pipes) - 1}")


def find_way(goal, pipes, weak, both):
    came_from = {0: 0}
    waiting = [0]
    for here in waiting:
        for there in range(goal + 1):
            joined = there in pipes[here] or (both and here in pipes[there])
            if there not in came_from and joined and there not in weak:
                came_from[there] = here
                waiting.append(there)
    if goal not in came_from:
        return []
    way = [goal]
    while way[-1]:
        way.append(came_from[way[-1]])
    return way[::-1]


def reference(basins: int, goal: int, pipes: list[list[int]], weak: list[int]) -> list[int]:
    return find_way(goal, pipes, weak, False)


def mistakes(basins: int, goal: int, pipes: list[list[int]], weak: list[int]) -> dict[str, list[int]]:
    return {
        "weak floors ignored": find_way(goal, pipes, [], False),
        "pipes used against their direction": find_way(goal, pipes, weak, True),
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(60):
        basins = random.randint(*[(5, 6), (7, 8), (9, 11), (12, 14), (15, 17)][difficulty - 1])
        goal = basins - 1
        pipes = [
            [end for end in range(basins) if end != start and random.random() < 2.1 / basins] for start in range(basins)
        ]
        weak = random.sample(range(1, goal), 1 + difficulty // 2)
        config = {"basins": basins, "goal": goal, "pipes": pipes, "weak": weak}
        way = find_way(goal, pipes, weak, False)
        if len(way) >= 3 + difficulty // 4 and find_way(goal, pipes, [], False) != way:
            return config
    return config


def solve(tools, basins, goal):
    # Special cases: the goal is basin 0; the goal does not carry the robot; there is no way.
    if goal == 0:
        return [0]
    if not tools.lower_robot(basin=goal):
        return []
    unknown = [basin for basin in range(1, basins) if basin != goal]
    bad = set()
    level = [[0]]
    seen = {0}
    place = goal
    while level:
        # The ways of a level are in ascending order, and so are their continuations.
        following = []
        for way in level:
            end = way[-1]
            if end in bad:
                continue
            if place != end:
                if not tools.lower_robot(basin=end):
                    bad.add(end)
                    continue
                place = end
            if tools.try_pipe(to=goal):
                return [*way, goal]
            for to in unknown:
                if to not in seen and to not in bad and tools.try_pipe(to=to):
                    seen.add(to)
                    following.append([*way, to])
        level = following
    return []
