"""Find out which pipes of a hillside water district have to be dug up.

The district has {pipes} pipes, known by their numbers. Water leaves the reservoir through pipe {main} and
runs downhill through a branching network without loops; the plan sheets say which pipes branch off the
lower end of a pipe. Every pipe has one valve, at its upper end, which carries the number of the pipe. All
valves are open now. Tonight's flow shows that at least one pipe leaks; there may be several.

A pipe is live while its own valve and all valves between it and the reservoir are open; otherwise it is
dead. Dead pipes that are joined through open valves form a section, and a closed valve is watertight. A
pressure test of a dead section tells whether the pressure holds (none of its pipes leaks) or falls (at
least one of them leaks). The logger has charge for {tests} tests.

Turn a valve only while the pipe directly above it is live (above valve {main} is the reservoir, which
always is). Turning a valve below a dead pipe draws in air, and bleeding the air uses up two tests.

Some valves are seized open, which shows only when somebody tries to close them; trying does no harm.
Valve {main} works. Pipes joined by a seized valve, or by a run of them, cannot be told apart and are dug
up together: if one of them leaks, all of them count.
{circumstances}
Answer with the list of the numbers of all pipes that have to be dug up, in any order.
"""

from typing import Literal, TypedDict

META = {
    "title": "Leak survey",
    "tags": ["search", "fieldwork"],
    "public": ["pipes", "main", "tests", "hospital", "circumstances"],
    "license": "MIT",
    "source": "original",
    "answer": {"order": "any"},
}

CIRCUMSTANCES = """
Four things are particular to this district:
- The plan sheets are old. The works diary says what has been moved since, and which pipe it branches off now.
  Works that were only planned have changed nothing.
- Pipe HOSPITAL supplies a hospital and has to be live all the time. If it is dead even for a moment, the
  survey is broken off and no test is left.
- Pipes that cannot be tested for that reason are dug up as well, together with the pipes joined to them.
- A test may give no reading. It is used up all the same.
"""
PAGE = 6


class Entry(TypedDict):
    pipe: int
    branches_off: int
    status: Literal["done", "planned"]


class Config(TypedDict):
    pipes: int
    main: int
    tests: int
    hospital: int
    circumstances: str
    plan: dict[str, int]
    diary: list[Entry]
    seized: list[int]
    leaking: list[int]
    silent: list[int]


class Turn(TypedDict):
    valve: int
    position: Literal["open", "closed", "seized open"]
    air_drawn: bool
    tests_left: int


class Reading(TypedDict):
    pressure: Literal["holds", "falls", "no reading"]
    tests_left: int


class Page(TypedDict):
    entries: list[Entry]
    next_cursor: int | None


class Environment:
    def __init__(self, config: Config):
        self.tests_left = config["tests"]
        self.plan = {int(pipe): above for pipe, above in config["plan"].items()}
        self.feeder = feeders(config)
        self.diary = config["diary"]
        self.hospital = config["hospital"]
        self.seized = config["seized"]
        self.leaking = config["leaking"]
        self.silent = list(config["silent"])
        self.closed = []

    def branches_of(self, pipe: int) -> list[int]:
        """Look up on the plan sheets which pipes branch off the lower end of a pipe.

        Args:
            pipe: number of the pipe.
        """
        check_pipe(self.plan, pipe)
        return branches(self.plan, pipe)

    def read_diary(self, cursor: int) -> Page:
        """Read the works diary of the district, oldest entry first, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        if not 0 <= cursor <= len(self.diary) or cursor % PAGE:
            raise ValueError("cursor must be 0 or the next cursor of a page")
        following = cursor + PAGE if cursor + PAGE < len(self.diary) else None
        return {"entries": self.diary[cursor : cursor + PAGE], "next_cursor": following}

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
            raise ValueError("there are no tests left")
        self.tests_left -= 1
        top = pipe
        while top not in self.closed:
            top = self.feeder[top]
        if top in self.silent:
            self.silent.remove(top)
            return {"pressure": "no reading", "tests_left": self.tests_left}
        falls = False
        ahead = [top]
        while ahead:
            member = ahead.pop()
            falls = falls or member in self.leaking
            ahead.extend(below for below in branches(self.feeder, member) if below not in self.closed)
        return {"pressure": "falls" if falls else "holds", "tests_left": self.tests_left}


def check_pipe(feeder, pipe):
    if pipe not in feeder:
        raise ValueError("there is no such pipe; the plan sheets name the pipes, from the main downwards")


def is_live(feeder, closed, pipe):
    """Whether water comes through from the reservoir, which stands above the main as pipe 0."""
    return not any(above in closed for above in way_down(feeder, pipe))


def turned(state, valve, position):
    """The receipt for a turn of a valve, after paying for air that is drawn in and for a dead hospital."""
    air_drawn = not is_live(state.feeder, state.closed, state.feeder[valve])
    if air_drawn:
        state.tests_left = max(0, state.tests_left - 2)
    if not is_live(state.feeder, state.closed, state.hospital):
        state.tests_left = 0
    return {"valve": valve, "position": position, "air_drawn": air_drawn, "tests_left": state.tests_left}


def branches(feeder, pipe):
    return sorted(below for below, above in feeder.items() if above == pipe)


def way_down(feeder, pipe):
    """The pipes from the main down to a pipe; none for pipe 0."""
    way = []
    while pipe != 0:
        way.insert(0, pipe)
        pipe = feeder[pipe]
    return way


def feeders(config: Config, forget: str = "") -> dict[int, int]:
    """The pipe that each pipe branches off; with one rule about the diary forgotten, if it is named."""
    feeder = {int(pipe): above for pipe, above in config["plan"].items()}
    for entry in config["diary"]:
        if forget == "trusts the plan sheets":
            continue
        if entry["status"] == "done" or forget == "takes planned works as done":
            feeder[entry["pipe"]] = entry["branches_off"]
    return feeder


def blocks(feeder: dict[int, int], seized: list[int]) -> dict[int, int]:
    """For each pipe, the first one at or above it whose valve can be closed."""
    return {pipe: [above for above in way_down(feeder, pipe) if above not in seized][-1] for pipe in feeder}


def to_dig(config: Config, forget: str = "") -> list[int]:
    """The pipes to dig up; with one rule forgotten, if it is named."""
    feeder, leaking = feeders(config, forget), config["leaking"]
    top = blocks(feeder, config["seized"])
    supply = way_down(feeder, config["hospital"])
    untested = [top[pipe] for pipe in supply]
    if forget == "stops at the first leak":
        leaking = leaking[:1]
    elif forget == "takes no reading as holding":
        leaking = [
            leak
            for leak in leaking
            if not any(pipe in config["silent"] and top[pipe] == pipe for pipe in way_down(feeder, leak))
        ]
    dig = [top[leak] for leak in leaking] + untested
    if forget == "leaves out what cannot be tested":
        dig = [top[leak] for leak in leaking if top[leak] not in untested]
    if forget == "digs up leaking pipes alone":
        return sorted({*leaking, *supply})
    if forget == "digs up only direct neighbours":
        found = {*leaking, *supply}
        below = [pipe for pipe in config["seized"] if feeder[pipe] in found]
        return sorted(found | {*below} | {feeder[pipe] for pipe in found if pipe in config["seized"]})
    return sorted(pipe for pipe in feeder if top[pipe] in dig)


def reference(config: Config) -> list[int]:
    return to_dig(config)


RULES = ["digs up leaking pipes alone", "digs up only direct neighbours", "stops at the first leak"]
MORE_RULES = [
    "trusts the plan sheets",
    "takes planned works as done",
    "leaves out what cannot be tested",
    "takes no reading as holding",
]


def mistakes(config: Config) -> dict[str, list[int]]:
    rules = RULES + MORE_RULES if config["circumstances"] else RULES
    return {rule: to_dig(config, rule) for rule in rules}


def solve(tools, pipes, main, tests, hospital, circumstances):
    feeder, ahead = {main: 0}, [main]
    while ahead:
        pipe = ahead.pop()
        for branch in tools.branches_of(pipe=pipe):
            feeder[branch] = pipe
            ahead.append(branch)
    cursor = 0 if circumstances else None
    while cursor is not None:
        page = tools.read_diary(cursor=cursor)
        for entry in page["entries"]:
            if entry["status"] == "done":
                feeder[entry["pipe"]] = entry["branches_off"]
        cursor = page["next_cursor"]

    def falls(pipe):
        pressure = "no reading"
        while pressure == "no reading":
            pressure = tools.test_section(pipe=pipe)["pressure"]
        return pressure == "falls"

    dig = []
    supply = way_down(feeder, hospital)
    suspects = [supply or [main]]  # pipes that cannot be tested, or below whose valve something leaks
    while suspects:
        block = suspects.pop()
        top, testable = block[0], hospital not in block
        boundary, ahead = [], list(block)
        while ahead:
            for branch in branches(feeder, ahead.pop()):
                if branch in block:
                    continue
                if tools.close_valve(valve=branch)["position"] == "closed":
                    boundary.append(branch)
                else:
                    block.append(branch)
                    ahead.append(branch)
        falling = [valve for valve in boundary if falls(valve)]
        block_leaks = not testable or not falling
        if not block_leaks:
            tools.close_valve(valve=top)
            block_leaks = falls(top)
            tools.open_valve(valve=top)
        for valve in boundary:
            tools.open_valve(valve=valve)
        if block_leaks:
            dig.extend(block)
        suspects.extend([valve] for valve in falling)
    return sorted(dig)


def tests_needed(config: Config) -> int:
    """The tests of a survey from the top down that looks into each block that may leak."""
    feeder = feeders(config)
    top = blocks(feeder, config["seized"])
    supply = {top[pipe] for pipe in way_down(feeder, config["hospital"])}
    opened = {top[pipe] for leak in config["leaking"] for pipe in way_down(feeder, leak)} | supply
    tests = 0
    for pipe in sorted(set(top.values()) - supply):
        above = top.get(feeder[pipe], 0)
        if above in opened:
            tests += 2 if pipe in config["silent"] else 1
        below = [other for other in opened if top.get(feeder[other]) == pipe]
        if below:
            tests += 1
    return tests


def draw_network(random, pipes: int) -> dict[int, int]:
    numbers = random.sample(range(10, 100), pipes)
    feeder = {numbers[0]: 0}
    ends = [numbers[0]] * 3
    for pipe in numbers[1:]:
        feeder[pipe] = ends.pop(random.randrange(len(ends)))
        ends += [pipe] * 3
    return feeder


def draw_diary(random, feeder: dict[int, int], seized: list[int]) -> tuple[dict[int, int], list[Entry]]:
    """A plan that was right once, and the works since then, of which some were only planned."""
    plan, diary = dict(feeder), []
    others = [pipe for pipe in list(feeder)[1:] if pipe not in seized]
    for pipe in seized + random.sample(others, len(others) // 4):
        elsewhere = [each for each in feeder if pipe not in way_down(plan, each) and each != feeder[pipe]]
        if not elsewhere:
            continue
        if random.random() < 0.5:
            diary.append({"pipe": pipe, "branches_off": feeder[pipe], "status": "done"})
            plan[pipe] = random.choice(elsewhere)
        else:
            diary.append({"pipe": pipe, "branches_off": random.choice(elsewhere), "status": "planned"})
    random.shuffle(diary)
    return plan, diary


def has_no_loop(feeder: dict[int, int]) -> bool:
    reached, ahead = [], [0]
    while ahead:
        below = branches(feeder, ahead.pop())
        reached += below
        ahead += below
    return len(reached) == len(feeder)


def generate(random, difficulty: int) -> Config:
    pipes = (10, 16, 24, 36, 54)[difficulty - 1]
    leaks = (2, 3, 3, 5, 6)[difficulty - 1]
    fewest, most = ((3, 5), (5, 9), (8, 12), (10, 16), (16, 26))[difficulty - 1]
    while True:
        feeder = draw_network(random, pipes)
        main = next(iter(feeder))
        config = {
            "pipes": pipes,
            "main": main,
            "tests": 0,
            "hospital": 0,
            "circumstances": "",
            "plan": {},
            "diary": [],
            "seized": sorted(random.sample([pipe for pipe in feeder if pipe != main], pipes // 5)),
            "leaking": sorted(random.sample(sorted(feeder), leaks)),
            "silent": [],
        }
        plan = feeder
        if difficulty > 3:
            plan, config["diary"] = draw_diary(random, feeder, config["seized"])
            config["hospital"] = random.choice([p for p in feeder if 2 <= len(way_down(feeder, p)) <= 4])
            config["circumstances"] = CIRCUMSTANCES.replace("HOSPITAL", str(config["hospital"]))
            config["silent"] = sorted(random.sample(sorted(feeder), pipes // 4))
        config["plan"] = {str(pipe): plan[pipe] for pipe in sorted(plan)}
        if not all(has_no_loop(feeders(config, rule)) for rule in MORE_RULES[:2]):
            continue
        needed = tests_needed(config)
        dig = reference(config)
        # Neither the main, which the text names, nor the list on one plan sheet may be the answer as it is.
        if not fewest <= needed <= most or dig == [main]:
            continue
        if any(dig == branches(plan, pipe) for pipe in plan):
            continue
        rules = [] if difficulty == 1 else RULES if difficulty < 4 else MORE_RULES + RULES
        if all(to_dig(config, rule) != dig for rule in rules):
            config["tests"] = needed + 2
            return config
