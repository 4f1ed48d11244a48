"""The control room of a power plant guards a line of {barriers} barriers, numbered from 0, the first one
at the intake. {surges} surges come one after another. Each begins at barrier 0 with a force of {force}.

A barrier stops a surge if its strength is at least the force of the surge. The surge ends there, and
the barrier has to be worn down by 3. A barrier that does not stop the surge has to be worn down by 1,
and the surge goes on to the next barrier with a force that is smaller by {loss}, but not below 0. A
surge that has passed the last barrier reaches the turbine.

After each surge one barrier has to be reinforced: barrier 0 after the first surge, barrier 1 after the
next one, and so on; after the last barrier it is barrier 0 again. A reinforcement adds 4.

Work through all surges; nothing wears or reinforces a barrier by itself. Answer with a list that has
for each surge, in order, the number of the barrier that stopped it, or -1 if it reached the turbine.
"""

META = {
    "title": "Surge barriers",
    "tags": ["simulation"],
    "public": ["barriers", "surges", "force", "loss"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem beaver-dams",
}


class Environment:
    def __init__(self, barriers: int, surges: int, force: int, loss: int, strengths: list[int]):
        if not strengths or barriers != len(strengths) or surges < 1 or min(force, loss, min(strengths)) < 0:
            raise ValueError("every barrier needs a strength, and no number may be negative")
        self.strengths = list(strengths)

    def stops(self, barrier: int, force: int) -> bool:
        """Tell whether the strength that a barrier has now is at least a force. Nothing changes.

        Args:
            barrier: the number of the barrier.
            force: the force.
        """
        check_barrier(barrier, self.strengths)
        return self.strengths[barrier] >= force

    def wear(self, barrier: int, amount: int) -> str:
        """Wear a barrier down; its strength does not get below 0.

        Args:
            barrier: the number of the barrier.
            amount: what is taken from its strength, 1 or 3.
        """
        check_barrier(barrier, self.strengths)
        if amount not in (1, 3):
            raise ValueError("a barrier is worn down by 1 or by 3")
        self.strengths[barrier] = max(0, self.strengths[barrier] - amount)
        return "done"

    def reinforce(self, barrier: int) -> str:
        """Add 4 to the strength of a barrier.

        Args:
            barrier: the number of the barrier.
        """
        check_barrier(barrier, self.strengths)
        self.strengths[barrier] += 4
        return "done"


def check_barrier(barrier, strengths):
    if not 0 <= barrier < len(strengths):
        raise ValueError(f"the line has barriers 0 to {len(strengths) - 1}")


def run(surges, force, loss, strengths, wear_passed):
    strengths = list(strengths)
    places = []
    for surge in range(surges):
        rest = force
        place = -1
        for barrier in range(len(strengths)):
            if strengths[barrier] >= rest:
                strengths[barrier] = max(0, strengths[barrier] - 3)
                place = barrier
                break
            strengths[barrier] = max(0, strengths[barrier] - wear_passed)
            rest = max(0, rest - loss)
        places.append(place)
        strengths[surge % len(strengths)] += 4
    return places


def reference(barriers: int, surges: int, force: int, loss: int, strengths: list[int]) -> list[int]:
    return run(surges, force, loss, strengths, 1)


def mistakes(barriers: int, surges: int, force: int, loss: int, strengths: list[int]) -> dict[str, list[int]]:
    return {
        "keeps the force": run(surges, force, 0, strengths, 1),
        "wears only barriers that stop": run(surges, force, loss, strengths, 0),
    }


def generate(random, difficulty):
    barriers = [3, 4, 5, 6, 7][difficulty - 1]
    surges = [4, 5, 8, 11, 16][difficulty - 1]
    force = [10, 12, 14, 16, 18][difficulty - 1]
    while True:
        config = {
            "barriers": barriers,
            "surges": surges,
            "force": force,
            "loss": 2,
            "strengths": [random.randint(force // 3, force) for barrier in range(barriers)],
        }
        right = reference(**config)
        wrong = list(mistakes(**config).values())
        if len(set(right)) > 2 and (right not in wrong or (difficulty == 1 and random.random() < 0.1)):
            return config


def solve(tools, barriers, surges, force, loss):
    stopped = []
    turn = 0
    while len(stopped) < surges:
        place, strength, end = 0, force, None
        while place < barriers and end is None:
            if tools.stops(barrier=place, force=strength):
                end = place
                tools.wear(barrier=place, amount=3)
            else:
                tools.wear(barrier=place, amount=1)
                strength = strength - loss if strength > loss else 0
                place += 1
        stopped.append(-1 if end is None else end)
        if len(stopped) < surges:
            # After the last surge nothing can depend on the reinforcement any more, but it has to be done too.
            tools.reinforce(barrier=turn)
        else:
            tools.reinforce(barrier=turn)
        turn = (turn + 1) % barriers
    return stopped
