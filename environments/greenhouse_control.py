"""The trial house of a nursery is to tell how much water a crop will need over a season. Your job is to
bring the house to each of {count} trial climates, measure the uptake of the plants there, and add up the
season.

The trials, numbered from 1, are given as [temperature, humidity, days]: {trials}. Temperatures are in
tenths of a degree, humidities in tenths of a per cent. A measurement takes no time. It is valid if both
gauges stand within {tolerance} of the trial's climate, either way, at the moment it is taken. There are
{trays} trays of plants, and every measurement uses one up, valid or not. The trials may be taken in any
order.

The house has a burner, a mister and a vent. Each can be set to a level from 0 to 3 for any number of
minutes. Nobody has kept the engineer's figures, but this much is certain:
- In every minute each control changes temperature and humidity by its level times two whole numbers of
  its own, which never change. The burner warms and dries, the mister cools and moistens, the vent cools
  and dries.
- The effect of a minute's setting comes a fixed number of whole minutes later (0 to {longest_delay}; 0
  means in the same minute; each control has its own delay), for both gauges at once. Effects on the way
  arrive even if the control has been shut since.
- On top of that, a draught changes both gauges by fixed whole numbers every minute. It does not change in
  the first {calm} minutes. Later it may change at some full minute without notice, and stays as it is for
  a while.
- All these effects simply add up. The gauges are exact.

If a minute ends with the temperature or the humidity outside its limits, the interlock trips: the run is
broken off, all that is on the way is discarded, and after 30 minutes lost the house stands again in the
climate it had at minute 0. The limits, as [lowest, highest], are {temperature_limits} for the temperature
and {humidity_limits} for the humidity. At minute {closing} the house closes, and nothing more can be run
or measured.

The uptake is in millilitres per plant and day. Answer with the season's total in millilitres per plant:
the sum over all trials of days times uptake.
"""

from itertools import groupby
from typing import TypedDict

META = {
    "title": "Greenhouse control",
    "tags": ["control", "simulation"],
    "public": [
        "count",
        "trials",
        "tolerance",
        "trays",
        "longest_delay",
        "calm",
        "closing",
        "temperature_limits",
        "humidity_limits",
    ],
    "license": "MIT",
    "source": "original",
}

CONTROLS = ("burner", "mister", "vent")
TOP_LEVEL = 3
LONGEST_RUN = 30
RECOVERY = 30


class Gauges(TypedDict):
    minute: int
    temperature: int
    humidity: int
    tripped: bool


class Measurement(TypedDict):
    valid: bool
    uptake: int
    trays_left: int


class Environment:
    def __init__(
        self,
        count: int,
        trials: list[list[int]],
        tolerance: int,
        trays: int,
        longest_delay: int,
        calm: int,
        closing: int,
        temperature_limits: list[int],
        humidity_limits: list[int],
        start: list[int],
        effects: list[list[int]],
        delays: list[int],
        draughts: list[list[int]],
        uptake: list[int],
    ):
        self.trials = trials
        self.tolerance = tolerance
        self.trays = trays
        self.closing = closing
        self.limits = [temperature_limits, humidity_limits]
        self.start = start
        self.effects = effects
        self.delays = delays
        self.draughts = draughts
        self.uptake = uptake
        self.minute = 0
        self.climate = list(start)
        self.settings = []
        self.discarded_before = 0

    def read_gauges(self) -> Gauges:
        """Read the clock and both gauges."""
        return gauges(self, False)

    def run(self, burner: int, mister: int, vent: int, minutes: int) -> Gauges:
        """Run at fixed levels for some minutes; returns the gauges and whether the interlock tripped.

        Args:
            burner: level of the burner, 0 (shut) to 3.
            mister: level of the mister, 0 (shut) to 3.
            vent: level of the vent, 0 (shut) to 3.
            minutes: how long to run, 1 to 30 minutes.
        """
        levels = [burner, mister, vent]
        for name, setting in zip(CONTROLS, levels):
            if not 0 <= setting <= TOP_LEVEL:
                raise ValueError(f"{name} must be a level from 0 to {TOP_LEVEL}")
        if not 1 <= minutes <= LONGEST_RUN:
            raise ValueError(f"minutes must be between 1 and {LONGEST_RUN}")
        check_open(self)
        for tick in range(min(minutes, self.closing - self.minute)):
            self.settings.append(levels)
            pass_minute(self)
            if any(not low <= value <= high for value, (low, high) in zip(self.climate, self.limits)):
                recover(self)
                return gauges(self, True)
        return gauges(self, False)

    def measure_uptake(self, trial: int) -> Measurement:
        """Measure the uptake for a trial in the climate as it stands; uses up a tray, valid or not.

        Args:
            trial: number of the trial, from 1.
        """
        if not 1 <= trial <= len(self.trials):
            raise ValueError(f"trial must be between 1 and {len(self.trials)}")
        check_open(self)
        if self.trays < 1:
            raise ValueError("there are no trays of plants left")
        self.trays -= 1
        wanted = self.trials[trial - 1][:2]
        valid = all(abs(value - target) <= self.tolerance for value, target in zip(self.climate, wanted))
        return {"valid": valid, "uptake": self.uptake[trial - 1] if valid else 0, "trays_left": self.trays}


def gauges(house, tripped: bool) -> Gauges:
    temperature, humidity = house.climate
    return {"minute": house.minute, "temperature": temperature, "humidity": humidity, "tripped": tripped}


def check_open(house) -> None:
    if house.minute >= house.closing:
        raise ValueError(f"the house closed at minute {house.closing}")


def pass_minute(house) -> None:
    draught = [entry[1:] for entry in house.draughts if entry[0] <= house.minute][-1]
    for gauge in range(2):
        house.climate[gauge] += draught[gauge]
        for control in range(3):
            given = house.minute - house.delays[control]
            if given >= house.discarded_before:
                house.climate[gauge] += house.settings[given][control] * house.effects[control][gauge]
    house.minute += 1


def recover(house) -> None:
    house.climate = list(house.start)
    house.settings += [[0, 0, 0]] * RECOVERY
    house.minute += RECOVERY
    house.discarded_before = house.minute


def reference(
    count: int,
    trials: list[list[int]],
    tolerance: int,
    trays: int,
    longest_delay: int,
    calm: int,
    closing: int,
    temperature_limits: list[int],
    humidity_limits: list[int],
    start: list[int],
    effects: list[list[int]],
    delays: list[int],
    draughts: list[list[int]],
    uptake: list[int],
) -> int:
    return sum(days * rate for (temperature, humidity, days), rate in zip(trials, uptake))


def solve(
    tools, count, trials, tolerance, trays, longest_delay, calm, closing, temperature_limits, humidity_limits
):
    limits = [temperature_limits, humidity_limits]
    here = climate(tools.read_gauges())

    def idle_minute():
        after = climate(tools.run(burner=0, mister=0, vent=0, minutes=1))
        return after, [after[0] - here[0], after[1] - here[1]]

    here, draught = idle_minute()
    effects, delays = [], []
    for control in CONTROLS:
        burner, mister, vent = [TOP_LEVEL if name == control else 0 for name in CONTROLS]
        after = climate(tools.run(burner=burner, mister=mister, vent=vent, minutes=1))
        change = [after[0] - here[0], after[1] - here[1]]
        here = after
        delay = 0
        while change == draught:
            here, change = idle_minute()
            delay += 1
        effects.append([(change[gauge] - draught[gauge]) // TOP_LEVEL for gauge in range(2)])
        delays.append(delay)

    total = 0
    for number, (temperature, humidity, days) in enumerate(trials, 1):
        goal = (temperature, humidity)
        trusted = True
        while any(abs(here[gauge] - goal[gauge]) > tolerance for gauge in range(2)):
            if not trusted:
                here, draught = idle_minute()
            for levels, minutes in plan_runs(here, goal, tolerance, effects, delays, draught, limits):
                report = tools.run(burner=levels[0], mister=levels[1], vent=levels[2], minutes=minutes)
                here = climate(report)
                if report["tripped"]:
                    break
            trusted = False  # a plan that missed means that the draught has changed
        total += days * tools.measure_uptake(trial=number)["uptake"]
    return total


def climate(report) -> tuple[int, int]:
    return report["temperature"], report["humidity"]


def plan_runs(here, goal, tolerance, effects, delays, draught, limits):
    """Runs, as (levels, minutes), to the goal, or to a climate on the way if it cannot be reached at once."""
    for share in (1, 2, 4):
        aim = [here[gauge] + (goal[gauge] - here[gauge]) // share for gauge in range(2)]
        steps = shortest_steps(here, aim, tolerance, effects, delays, draught, limits)
        if steps:
            return [(levels, len(list(same))) for levels, same in groupby(steps)]
    raise ValueError(f"no way from {here} towards {goal}")


def shortest_steps(here, goal, tolerance, effects, delays, draught, limits):
    """The levels minute by minute that end in the goal soonest, with nothing left on the way; or None."""
    waits = [max(delays) - delay for delay in delays]  # so that all effects begin together
    for minutes in range(max(delays) + 1, LONGEST_RUN + 1):
        most = TOP_LEVEL * (minutes - max(delays))
        need = [goal[gauge] - here[gauge] - minutes * draught[gauge] for gauge in range(2)]
        for vent in range(most + 1):
            for burner in range(most + 1):
                lacking = need[1] - burner * effects[0][1] - vent * effects[2][1]
                units = (burner, min(most, max(0, round(lacking / effects[1][1]))), vent)
                missed = [abs(need[gauge] - total_effect(units, effects, gauge)) for gauge in range(2)]
                if max(missed) <= tolerance:
                    steps = [
                        [level(given, minute - wait) for given, wait in zip(units, waits)]
                        for minute in range(minutes)
                    ]
                    if stays_within(here, steps, effects, delays, draught, limits):
                        return steps
    return None


def total_effect(units, effects, gauge: int) -> int:
    return sum(given * effect[gauge] for given, effect in zip(units, effects))


def level(units: int, minute: int) -> int:
    """Level in a minute if so many level-minutes are given from minute 0 on, as fast as possible."""
    return min(TOP_LEVEL, max(0, units - TOP_LEVEL * minute)) if minute >= 0 else 0


def stays_within(here, steps, effects, delays, draught, limits) -> bool:
    now = list(here)
    for minute in range(len(steps)):
        for gauge in range(2):
            now[gauge] += draught[gauge]
            for control in range(3):
                if minute >= delays[control]:
                    now[gauge] += steps[minute - delays[control]][control] * effects[control][gauge]
            if not limits[gauge][0] <= now[gauge] <= limits[gauge][1]:
                return False
    return True


def generate(random, difficulty: int) -> dict:
    count = (2, 3, 5, 8, 12)[difficulty - 1]
    longest_delay = difficulty
    calm = 12 + 4 * difficulty
    climates = []
    while len(climates) < count:  # far enough apart that no two trials can be measured in one climate
        new = [random.randrange(160, 271, 5), random.randrange(520, 701, 5)]
        if all(abs(new[0] - old[0]) + abs(new[1] - old[1]) >= 40 for old in climates + [[200, 600]]):
            climates.append(new)
    draughts = [[0, random.choice((-2, -1, 1, 2)), random.choice((-2, -1, 1, 2))]]
    for begin in sorted(random.sample(range(calm, calm + 10 * count, 5), difficulty - 1)):
        warming = random.choice([change for change in (-2, -1, 1, 2) if change != draughts[-1][1]])
        draughts.append([begin, warming, random.choice((-2, -1, 1, 2))])
    return {
        "count": count,
        "trials": [place + [random.randint(5, 40)] for place in climates],
        "tolerance": 5,
        "trays": count + 1,
        "longest_delay": longest_delay,
        "calm": calm,
        "closing": 60 + 25 * count if difficulty < 3 else 40 + 16 * count,
        "temperature_limits": [50, 420],
        "humidity_limits": [250, 980],
        "start": [200 + random.randint(-20, 20), 600 + random.randint(-20, 20)],
        "effects": [
            [random.randint(5, 7), -random.randint(1, 2)],
            [-random.randint(1, 2), random.randint(6, 8)],
            [-random.randint(4, 7), -random.randint(4, 7)],
        ],
        "delays": [random.randint(0, longest_delay) for control in CONTROLS],
        "draughts": draughts,
        "uptake": [random.randint(120, 980) for place in climates],
    }
