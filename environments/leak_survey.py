"""Find out which pipes of a hillside water district have to be dug up.

The district has {pipes} pipes, known by their numbers. Water leaves the reservoir through pipe {main} and
runs downhill through a branching network without loops; the plan sheets say which pipes branch off the
lower end of a pipe. Every pipe has one valve, at its upper end, which carries the number of the pipe. All
valves are open now. Tonight's flow shows that at least one pipe leaks.

A pipe is live while its own valve and all valves between it and the reservoir are open; otherwise it is
dead. Dead pipes that are joined through open valves form a section, and a closed valve is watertight. A
pressure test of a dead section tells whether the pressure holds (none of its pipes leaks) or falls (at
least one of them leaks). The logger has charge for {tests} tests, too few to test everything piece by
piece.

Turn a valve only while the pipe directly above it is live (above valve {main} is the reservoir, which
always is). Turning a valve below a dead pipe draws in air, and bleeding the air uses up two tests.

Some valves are seized open, which shows only when somebody tries to close them; trying does no harm.
Valve {main} works. Pipes joined by a seized valve, or by a run of them, cannot be told apart and are dug
up together: if one of them leaks, all of them count.

Answer with the list of the numbers of all pipes that have to be dug up, in any order.
"""

from typing import Literal, TypedDict

META = {
    "title": "Leak survey",
    "tags": ["search", "fieldwork"],
    "public": ["pipes", "main", "tests"],
    "license": "MIT",
    "source": "original",
    "answer": {"order": "any"},
}


class Turn(TypedDict):
    valve: int
    position: Literal["open", "closed", "seized open"]
    air_drawn: bool
    tests_left: int


class Reading(TypedDict):
    pressure: Literal["holds", "falls"]
    tests_left: int


def branches(feeder, pipe):
    return sorted(below for below, above in feeder.items() if above == pipe)


def block_top(feeder, seized, pipe):
    """The first pipe at or above this one whose valve can be closed."""
    while pipe in seized:
        pipe = feeder[pipe]
    return pipe


def check_pipe(feeder, pipe):
    if pipe not in feeder:
        raise ValueError("there is no such pipe; the plan sheets name the pipes, from the main downwards")


def is_live(feeder, closed, pipe):
    """Whether water comes through from the reservoir, which stands above the main as pipe 0."""
    while pipe != 0:
        if pipe in closed:
            return False
        pipe = feeder[pipe]
    return True


def turned(state, valve, position):
    """The receipt for a turn of a valve, after paying for the air that it draws in below a dead pipe."""
    air_drawn = not is_live(state.feeder, state.closed, state.feeder[valve])
    if air_drawn:
        state.tests_left = max(0, state.tests_left - 2)
    return {"valve": valve, "position": position, "air_drawn": air_drawn, "tests_left": state.tests_left}


class Environment:
    def __init__(
        self, pipes: int, main: int, tests: int, feeder: dict[str, int], seized: list[int], leaking: list[int]
    ):
        self.tests_left = tests
        self.feeder = {int(pipe): above for pipe, above in feeder.items()}
        self.seized = seized
        self.leaking = leaking
        self.closed = []

    def branches_of(self, pipe: int) -> list[int]:
        """Look up on the plan sheets which pipes branch off the lower end of a pipe.

        Args:
            pipe: number of the pipe.
        """
        check_pipe(self.feeder, pipe)
        return branches(self.feeder, pipe)

    def close_valve(self, valve: int) -> Turn:
        """Close the valve at the upper end of a pipe, unless it turns out to be seized open.

        Args:
            valve: number of the valve, which is the number of its pipe.
        """
        check_pipe(self.feeder, valve)
        if valve in self.closed:
            raise ValueError(f"valve {valve} is already closed")
        if valve in self.seized:
            left = self.tests_left
            return {"valve": valve, "position": "seized open", "air_drawn": False, "tests_left": left}
        self.closed.append(valve)
        return turned(self, valve, "closed")

    def open_valve(self, valve: int) -> Turn:
        """Open a closed valve again.

        Args:
            valve: number of the valve, which is the number of its pipe.
        """
        check_pipe(self.feeder, valve)
        if valve not in self.closed:
            raise ValueError(f"valve {valve} is already open")
        self.closed.remove(valve)
        return turned(self, valve, "open")

    def test_section(self, pipe: int) -> Reading:
        """Test whether the dead section that contains a pipe holds its pressure; this uses up one test.

        Args:
            pipe: number of any pipe in the section.
        """
        check_pipe(self.feeder, pipe)
        if is_live(self.feeder, self.closed, pipe):
            raise ValueError(f"pipe {pipe} is live: close its valve, or one above it, before testing")
        if self.tests_left == 0:
            raise ValueError("the logger has no charge left for another test")
        self.tests_left -= 1
        top = pipe
        while top not in self.closed:
            top = self.feeder[top]
        falls = False
        ahead = [top]
        while ahead:
            member = ahead.pop()
            falls = falls or member in self.leaking
            ahead.extend(below for below in branches(self.feeder, member) if below not in self.closed)
        return {"pressure": "falls" if falls else "holds", "tests_left": self.tests_left}


def reference(
    pipes: int, main: int, tests: int, feeder: dict[str, int], seized: list[int], leaking: list[int]
) -> list[int]:
    above = {int(pipe): feeding for pipe, feeding in feeder.items()}
    leaking_tops = [block_top(above, seized, pipe) for pipe in leaking]
    return sorted(pipe for pipe in above if block_top(above, seized, pipe) in leaking_tops)


def mistakes(
    pipes: int, main: int, tests: int, feeder: dict[str, int], seized: list[int], leaking: list[int]
) -> dict[str, list[int]]:
    return {"digs up leaking pipes without those joined to them": sorted(leaking)}


def solve(tools, pipes, main, tests):
    dig = []
    suspects = [main]  # valves below which something is known to leak
    while suspects:
        top = suspects.pop()
        block, boundary, ahead = [], [], [top]
        while ahead:
            pipe = ahead.pop()
            block.append(pipe)
            for branch in tools.branches_of(pipe=pipe):
                if tools.close_valve(valve=branch)["position"] == "closed":
                    boundary.append(branch)
                else:
                    ahead.append(branch)
        falling = [valve for valve in boundary if tools.test_section(pipe=valve)["pressure"] == "falls"]
        block_leaks = not falling
        if falling:
            tools.close_valve(valve=top)
            block_leaks = tools.test_section(pipe=top)["pressure"] == "falls"
            tools.open_valve(valve=top)
        for valve in boundary:
            tools.open_valve(valve=valve)
        if block_leaks:
            dig.extend(block)
        suspects.extend(falling)
    return sorted(dig)


def survey_effort(feeder, seized, leaking):
    """Tests and tool calls of a survey from the top down, and the number of blocks in the district."""
    tops = {pipe: block_top(feeder, seized, pipe) for pipe in feeder}
    opened = set()
    for pipe in leaking:
        while pipe != 0:
            opened.add(tops[pipe])
            pipe = feeder[tops[pipe]]
    tests = calls = 0
    for top in sorted(opened):
        block = [pipe for pipe in feeder if tops[pipe] == top]
        boundary = [pipe for pipe in feeder if feeder[pipe] in block and pipe not in block]
        tests += len(boundary) + (1 if boundary else 0)
        # Plan sheets and seized valves; then close, test and open each branch; then maybe the block alone.
        calls += 2 * len(block) - 1 + 3 * len(boundary)
        calls += 3 if any(valve in opened for valve in boundary) else 0
    return tests, calls, len(set(tops.values()))


def generate(random, difficulty: int) -> dict:
    pipes = [10, 15, 24, 36, 54][difficulty - 1]
    shortest, longest = [(9, 13), (16, 24), (28, 40), (48, 62), (76, 108)][difficulty - 1]
    most_leaks = [2, 2, 3, 4, 5][difficulty - 1]
    while True:
        numbers = random.sample(range(10, 100), pipes)
        feeder = {numbers[0]: 0}
        for pipe in numbers[1:]:
            feeder[pipe] = random.choice([above for above in feeder if len(branches(feeder, above)) < 3])
        seized = sorted(random.sample(numbers[1:], pipes // 7))
        leaking = sorted(random.sample(numbers, random.randint((most_leaks + 1) // 2, most_leaks)))
        dig = reference(pipes, numbers[0], 0, feeder, seized, leaking)
        # Neither the main, which the text names, nor the list on one plan sheet may be the answer as it is.
        if difficulty > 1 and dig == leaking:
            continue
        if dig == numbers[:1] or any(dig == branches(feeder, pipe) for pipe in feeder):
            continue
        needed, calls, blocks = survey_effort(feeder, seized, leaking)
        if shortest <= calls <= longest and needed + 2 < blocks:
            return {
                "pipes": pipes,
                "main": numbers[0],
                "tests": needed + 2,
                "feeder": {str(pipe): feeder[pipe] for pipe in sorted(feeder)},
                "seized": seized,
                "leaking": leaking,
            }
