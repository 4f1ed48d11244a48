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
{changes}
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
        "changes",
    ],
    "license": "MIT",
    "source": "original",
}

CHANGES = """
Two more things may happen:
- After the first minutes, in which the draught does not change, a gauge may now and then show nothing for a
  while.
- A valid measurement may show orders about trials. An order of the head gardener replaces the trial, and what
  was measured for it before no longer counts. An order of anybody else changes nothing.
"""
HEAD = "head gardener"
CONTROLS = ("burner", "mister", "vent")
TOP_LEVEL = 3
LONGEST_RUN = 30
RECOVERY = 30
MOST_MINUTES = 1000


class Order(TypedDict):
    sender: str
    trial: int
    now: list[int]


class ComingOrder(TypedDict):
    """An order, after how many valid measurements it comes, and the uptake of the trial from then on."""

    after: int
    order: Order
    uptake: int


class Config(TypedDict):
    count: int
    trials: list[list[int]]
    tolerance: int
    trays: int
    longest_delay: int
    calm: int
    closing: int
    temperature_limits: list[int]
    humidity_limits: list[int]
    changes: str
    start: list[int]
    effects: list[list[int]]
    delays: list[int]
    draughts: list[list[int]]
    uptake: list[int]
    orders: list[ComingOrder]
    outages: list[list[int]]


class Gauges(TypedDict):
    minute: int
    temperature: int | None
    humidity: int | None
    tripped: bool


class Measurement(TypedDict):
    valid: bool
    uptake: int
    trays_left: int
    orders: list[Order]


class Environment:
    def __init__(self, config: Config):
        self.house = House(config)

    def read_gauges(self) -> Gauges:
        """Read the clock and both gauges."""
        return self.house.read_gauges()

    def run(self, burner: int, mister: int, vent: int, minutes: int) -> Gauges:
        """Run at fixed levels for some minutes; returns the gauges and whether the interlock tripped.

        Args:
            burner: level of the burner, 0 (shut) to 3.
            mister: level of the mister, 0 (shut) to 3.
            vent: level of the vent, 0 (shut) to 3.
            minutes: how long to run, 1 to 30 minutes.
        """
        return self.house.run(burner, mister, vent, minutes)

    def measure_uptake(self, trial: int) -> Measurement:
        """Measure the uptake for a trial in the climate as it stands; uses up a tray, valid or not.

        Args:
            trial: number of the trial, from 1.
        """
        return self.house.measure_uptake(trial)


class House:
    """The trial house, which the tools act on."""

    def __init__(self, config: Config):
        self.config = config
        self.trials = [list(trial) for trial in config["trials"]]
        self.uptake = list(config["uptake"])
        self.trays = config["trays"]
        self.measured = 0
        self.limits = [config["temperature_limits"], config["humidity_limits"]]
        self.minute = 0
        self.climate = list(config["start"])
        self.settings = []
        self.discarded_before = 0

    def read_gauges(self):
        return gauges(self)

    def run(self, burner, mister, vent, minutes):
        levels = [burner, mister, vent]
        for name, setting in zip(CONTROLS, levels):
            if not 0 <= setting <= TOP_LEVEL:
                raise ValueError(f"{name} must be a level from 0 to {TOP_LEVEL}")
        if not 1 <= minutes <= LONGEST_RUN:
            raise ValueError(f"minutes must be between 1 and {LONGEST_RUN}")
        check_open(self)
        for tick in range(min(minutes, self.config["closing"] - self.minute)):
            self.settings.append(levels)
            pass_minute(self)
            if any(not low <= value <= high for value, (low, high) in zip(self.climate, self.limits)):
                recover(self)
                return {**gauges(self), "tripped": True}
        return gauges(self)

    def measure_uptake(self, trial):
        if not 1 <= trial <= len(self.trials):
            raise ValueError(f"trial must be between 1 and {len(self.trials)}")
        check_open(self)
        if self.trays < 1:
            raise ValueError("there are no trays of plants left")
        self.trays -= 1
        valid = is_reached(self.climate, self.trials[trial - 1], self.config["tolerance"])
        uptake = self.uptake[trial - 1] if valid else 0
        orders = receive_orders(self) if valid else []
        return {"valid": valid, "uptake": uptake, "trays_left": self.trays, "orders": orders}


def gauges(house) -> Gauges:
    shown = list(house.climate)
    for begin, end, gauge in house.config["outages"]:
        if begin <= house.minute < end:
            shown[gauge] = None
    temperature, humidity = shown
    return {"minute": house.minute, "temperature": temperature, "humidity": humidity, "tripped": False}


def check_open(house) -> None:
    if house.minute >= house.config["closing"]:
        raise ValueError(f"the house closed at minute {house.config['closing']}")


def pass_minute(house) -> None:
    config = house.config
    draught = [entry[1:] for entry in config["draughts"] if entry[0] <= house.minute][-1]
    for gauge in range(2):
        house.climate[gauge] += draught[gauge]
        for control in range(3):
            given = house.minute - config["delays"][control]
            if given >= house.discarded_before:
                house.climate[gauge] += house.settings[given][control] * config["effects"][control][gauge]
    house.minute += 1


def recover(house) -> None:
    house.climate = list(house.config["start"])
    house.settings += [[0, 0, 0]] * RECOVERY
    house.minute += RECOVERY
    house.discarded_before = house.minute


def receive_orders(house) -> list[Order]:
    """The orders that come after a valid measurement; those of the head gardener replace their trials."""
    house.measured += 1
    received = []
    for coming in house.config["orders"]:
        order, trial = coming["order"], coming["order"]["trial"] - 1
        if coming["after"] == house.measured:
            received.append(order)
            if order["sender"] == HEAD:
                house.trials[trial] = order["now"]
                house.uptake[trial] = coming["uptake"]
    return received


def is_reached(climate, trial, tolerance: int) -> bool:
    return all(abs(value - wanted) <= tolerance for value, wanted in zip(climate, trial))


def total(config: Config, forget: str = "") -> int:
    """The season's total; with one rule forgotten, if it is named."""
    days = [trial[2] for trial in config["trials"]]
    uptake = list(config["uptake"])
    for coming in config["orders"]:
        order, trial = coming["order"], coming["order"]["trial"] - 1
        by_head = order["sender"] == HEAD
        if forget == "ignores orders" or not (by_head or forget == "follows everybody's orders"):
            continue
        days[trial] = order["now"][2]
        if by_head and forget != "counts what was measured before an order":
            uptake[trial] = coming["uptake"]
    if forget == "forgets the days":
        return sum(uptake)
    return sum(count * rate for count, rate in zip(days, uptake))


def reference(config: Config) -> int:
    return total(config)


def mistakes(config: Config) -> dict[str, int]:
    rules = ["forgets the days"]
    if config["changes"]:
        rules += ["ignores orders", "follows everybody's orders", "counts what was measured before an order"]
    found = {rule: total(config, rule) for rule in rules}
    if len(config["draughts"]) > 1:
        found["takes the draught as lasting"] = rehearse(config, looks=False)["total"]
    return found


class Rehearsal(TypedDict):
    total: int
    minutes: int


def rehearse(config: Config, looks: bool = True) -> Rehearsal:
    """Conducts all trials and tells the total that comes out, and how many minutes it takes."""
    house = House(config)
    limits = [config["temperature_limits"], config["humidity_limits"]]
    found = conduct(house, config["trials"], config["tolerance"], limits, looks)
    return {"total": found, "minutes": house.minute}


def solve(
    tools,
    count,
    trials,
    tolerance,
    trays,
    longest_delay,
    calm,
    closing,
    temperature_limits,
    humidity_limits,
    changes,
):
    return conduct(tools, trials, tolerance, [temperature_limits, humidity_limits])


def conduct(tools, trials, tolerance, limits, looks: bool = True) -> int:
    """Finds the house's figures, measures each trial, the nearest one first, and returns the total.

    If it does not look whether a climate has been reached, what it measures may be invalid, and counts 0.
    """
    trials, uptake = list(trials), {}

    def run(levels, minutes):
        return tools.run(burner=levels[0], mister=levels[1], vent=levels[2], minutes=minutes)

    def idle_minute(before):
        """Idles until both gauges show the change of a minute; returns the climate then, and the change."""
        while True:
            after = climate(run([0, 0, 0], 1))
            if None not in before + after:
                return after, [after[0] - before[0], after[1] - before[1]]
            before = after

    here, draught = idle_minute(climate(tools.read_gauges()))
    effects, delays = [], []
    for control in range(3):
        after = climate(run([TOP_LEVEL if other == control else 0 for other in range(3)], 1))
        change = [after[0] - here[0], after[1] - here[1]]
        here = after
        delay = 0
        while change == draught:
            here, change = idle_minute(here)
            delay += 1
        effects.append([(change[gauge] - draught[gauge]) // TOP_LEVEL for gauge in range(2)])
        delays.append(delay)

    arrived, missed = False, False
    while len(uptake) < len(trials):
        waiting = [number for number in range(1, len(trials) + 1) if number not in uptake]
        nearest = min(waiting, key=lambda number: distance(here, trials[number - 1]))
        goal = trials[nearest - 1][:2]
        if is_reached(here, goal, tolerance) or (arrived and not looks):
            measurement = tools.measure_uptake(trial=nearest)
            uptake[nearest] = measurement["uptake"]
            for order in measurement["orders"]:
                if order["sender"] == HEAD:
                    trials[order["trial"] - 1] = order["now"]
                    uptake.pop(order["trial"], None)
            arrived = missed = False
            continue
        if missed:  # the draught has changed
            here, draught = idle_minute(here)
        for levels, minutes in plan_runs(here, goal, tolerance, effects, delays, draught, limits):
            report = run(levels, minutes)
            if report["tripped"]:
                break
        here = climate(report)
        while None in here:
            here = climate(run([0, 0, 0], 1))
        arrived = missed = True
    return sum(trials[number - 1][2] * uptake[number] for number in uptake)


def climate(report) -> tuple:
    return report["temperature"], report["humidity"]


def distance(here, trial) -> int:
    return abs(here[0] - trial[0]) + abs(here[1] - trial[1])


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


def draw_climates(random, count: int) -> list[list[int]]:
    climates = []
    while len(climates) < count:  # far enough apart that no two trials can be measured in one climate
        new = [random.randrange(160, 271, 5), random.randrange(520, 701, 5)]
        if all(distance(new, old) >= 40 for old in climates + [[200, 600]]):
            climates.append(new)
    return climates


def draw_changes(random, config: Config, minutes: int, count: int) -> dict:
    """Orders, as many of the head gardener as of others, and outages within so many minutes."""
    places = draw_climates(random, count)
    orders = []
    for index, trial in enumerate(random.sample(range(config["count"]), 2 * count)):
        sender, place = HEAD, places[index % count]
        if index >= count:
            sender, place = random.choice(["trainee", "sales office", "owner"]), config["trials"][trial][:2]
        order = {"sender": sender, "trial": trial + 1, "now": [*place, random.randint(5, 40)]}
        after = random.randrange(config["count"] // 2, config["count"])
        orders.append({"after": after, "order": order, "uptake": random.randint(120, 980)})
    begins = random.sample(range(config["calm"], config["calm"] + minutes), 2 * count)
    return {
        "changes": CHANGES,
        "trays": config["trays"] + count,
        "orders": orders,
        "outages": [[begin, begin + random.randint(2, 5), random.randrange(2)] for begin in sorted(begins)],
    }


def draw_house(random, difficulty: int) -> Config:
    count = (2, 3, 5, 8, 12)[difficulty - 1]
    longest_delay = difficulty
    calm = 12 + 4 * difficulty
    climates = draw_climates(random, count)
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
        "closing": MOST_MINUTES,
        "temperature_limits": [50, 420],
        "humidity_limits": [250, 980],
        "changes": "",
        "start": [200 + random.randint(-20, 20), 600 + random.randint(-20, 20)],
        "effects": [
            [random.randint(5, 7), -random.randint(1, 2)],
            [-random.randint(1, 2), random.randint(6, 8)],
            [-random.randint(4, 7), -random.randint(4, 7)],
        ],
        "delays": [random.randint(0, longest_delay) for control in CONTROLS],
        "draughts": draughts,
        "uptake": [random.randint(120, 980) for place in climates],
        "orders": [],
        "outages": [],
    }


def generate(random, difficulty: int) -> Config:
    while True:
        config = draw_house(random, difficulty)
        needed = rehearse(config)["minutes"]
        if difficulty > 3:
            config.update(draw_changes(random, config, needed, difficulty - 2))
            needed = rehearse(config)["minutes"]
        config["closing"] = 3 * needed if difficulty < 3 else needed * 3 // 2
        if difficulty == 1 or all(wrong != total(config) for wrong in mistakes(config).values()):
            return config
