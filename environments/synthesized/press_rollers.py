"""A printing press has {rollers} rollers in a row, numbered from 0. Each has some teeth and some worn places, which
are not written down. A crank is turned by a number of notches and hands the turn on from roller to roller, beginning
with roller 0. A roller whose number of teeth has no common divisor greater than 1 with the turn passes the turn on
unchanged. Another roller passes on the turn divided by the greatest common divisor of both; then it jams if it has
more worn places than the turn that it passes on, and the press stops there. Otherwise the turn reaches the next one.

The press is tried with these turns, one after another, each from roller 0 and independent of the others: {turns}.
Answer with a list that has two numbers for each turn: the number of the roller that jams, or -1 if the turn passes
all rollers, and the last turn that was passed on.
"""

META = {
    "title": "Press rollers",
    "tags": ["number theory", "simulation"],
    "public": ["rollers", "turns"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem vault-dial",
}


class Environment:
    def __init__(self, rollers: int, turns: list[int], teeth: list[int], worn: list[int]):
        if rollers < 1 or len(teeth) != rollers or len(worn) != rollers or not turns:
            raise ValueError("there must be teeth and worn places for each roller, and a turn")
        if min(teeth + turns) < 1 or min(worn) < 0:
            raise ValueError("teeth and turns are at least 1, worn places at least 0")
        self.teeth = teeth
        self.worn = worn

    def measure_mesh(self, roller: int, turn: int) -> int:
        """Return the greatest common divisor of a roller's number of teeth and a turn.

        Args:
            roller: number of the roller.
            turn: the turn that reaches the roller, 1 to 5000.
        """
        check_roller(roller, self.teeth)
        check_turn(turn)
        one, other = self.teeth[roller], turn
        while other:
            one, other = other, one % other
        return one

    def would_jam(self, roller: int, turn: int) -> bool:
        """Check whether a roller has more worn places than a turn that it passes on.

        Args:
            roller: number of the roller.
            turn: the turn that the roller passes on, 1 to 5000.
        """
        check_roller(roller, self.teeth)
        check_turn(turn)
        return self.worn[roller] > turn


def check_roller(roller, teeth):
    if not 0 <= roller < len(teeth):
        raise ValueError(f"rollers have the numbers 0 to {len(teeth) - 1}")


def check_turn(turn):
    if not 1 <= turn <= 5000:
        raise ValueError("the press takes turns from 1 to 5000")


def crank(turn, teeth, worn, always):
    for roller in range(len(teeth)):
        one, other = teeth[roller], turn
        while other:
            one, other = other, one % other
        turn //= one
        if (one > 1 or always) and worn[roller] > turn:
            return [roller, turn]
    return [-1, turn]


def reference(rollers: int, turns: list[int], teeth: list[int], worn: list[int]) -> list[list[int]]:
    return [crank(turn, teeth, worn, False) for turn in turns]


def mistakes(rollers: int, turns: list[int], teeth: list[int], worn: list[int]) -> dict[str, list[list[int]]]:
    return {
        "rollers jam also if they pass the turn on unchanged": [crank(turn, teeth, worn, True) for turn in turns],
        "rollers never jam": [crank(turn, teeth, [0] * rollers, False) for turn in turns],
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        rollers = random.randint(*[(4, 5), (5, 6), (6, 8), (8, 9), (9, 11)][difficulty - 1])
        count = [3, 4, 5, 7, 10][difficulty - 1]
        parts = [2, 2, 2, 3, 3, 5, 7]
        turns = []
        while len(turns) < count:
            turn = 1
            while turn < 400:
                turn *= random.choice(parts)
            if turn <= 5000 and turn not in turns:
                turns.append(turn)
        teeth = [random.choice([2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15, 21]) for roller in range(rollers)]
        worn = [random.choice([0, 2, 5, 10, 20, 40]) for roller in range(rollers)]
        config = {"rollers": rollers, "turns": turns, "teeth": teeth, "worn": worn}
        if reference(**config) not in mistakes(**config).values():
            return config
    return config


def solve(tools, rollers, turns):
    meshes = {}
    jams = {}
    results = []
    for turn in turns:
        jammed = -1
        for roller in range(rollers):
            if turn == 1:
                # Nothing has a common divisor with 1 that is greater than 1.
                break
            if (roller, turn) not in meshes:
                meshes[roller, turn] = tools.measure_mesh(roller=roller, turn=turn)
            common = meshes[roller, turn]
            if common == 1:
                continue
            turn //= common
            if (roller, turn) not in jams:
                jams[roller, turn] = tools.would_jam(roller=roller, turn=turn)
            if jams[roller, turn]:
                jammed = roller
                break
        results.append([jammed, turn])
    return results
