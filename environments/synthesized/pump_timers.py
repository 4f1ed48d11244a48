"""A water works has {pumps} pumps, numbered from 0, with old timers. A pump is due in every minute that is
a multiple of its period, but it has fuel only for a certain number of minutes.

Work through the minutes 1 to {minutes}. In each minute go through the pumps in the order of their
numbers. A pump that is due is started for this minute, if it still has fuel; one that has none stays
silent. As soon as {needed} pumps have been started in a minute, the minute is full: the other pumps are
not started in it, although they may be due.

Answer with the list of the full minutes, in ascending order; the list may be empty.
"""

META = {
    "title": "Pump timers",
    "tags": ["number theory", "simulation"],
    "public": ["pumps", "minutes", "needed"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem bell-tower",
}


class Environment:
    def __init__(self, pumps: int, minutes: int, needed: int, periods: list[int], fuel: list[int]):
        if pumps < 1 or pumps != len(periods) or pumps != len(fuel) or min(periods) < 1 or min(fuel) < 0:
            raise ValueError("every pump needs a period of at least 1, and fuel that is not negative")
        if minutes < 1 or needed < 1:
            raise ValueError("minutes and needed have to be at least 1")
        self.periods = periods
        self.fuel = list(fuel)

    def is_due(self, pump: int, minute: int) -> bool:
        """Tell whether a pump is due in a minute, with fuel or without.

        Args:
            pump: the number of the pump.
            minute: the minute, from 1.
        """
        check_pump(pump, self.periods)
        if minute < 1:
            raise ValueError("the minutes begin with 1")
        return minute % self.periods[pump] == 0

    def start_pump(self, pump: int) -> bool:
        """Start a pump for one minute.

        Args:
            pump: the number of the pump. It is up to you to start only pumps that are due.

        Returns:
            Whether it runs; that uses fuel for one minute. It does not run if it has no fuel left.
        """
        check_pump(pump, self.periods)
        if self.fuel[pump] == 0:
            return False
        self.fuel[pump] -= 1
        return True


def check_pump(pump, periods):
    if not 0 <= pump < len(periods):
        raise ValueError(f"the pumps have the numbers 0 to {len(periods) - 1}")


def run(minutes, needed, periods, fuel, stops):
    fuel = list(fuel)
    full = []
    for minute in range(1, minutes + 1):
        running = 0
        for pump, period in enumerate(periods):
            if minute % period == 0 and fuel[pump] and not (stops and running == needed):
                fuel[pump] -= 1
                running += 1
        if running >= needed:
            full.append(minute)
    return full


def reference(pumps: int, minutes: int, needed: int, periods: list[int], fuel: list[int]) -> list[int]:
    return run(minutes, needed, periods, fuel, True)


def mistakes(
    pumps: int, minutes: int, needed: int, periods: list[int], fuel: list[int]
) -> dict[str, list[int]]:
    return {
        "starts pumps in full minutes": run(minutes, needed, periods, fuel, False),
        "fuel never ends": run(minutes, needed, periods, [minutes] * pumps, True),
    }


def generate(random, difficulty):
    pumps = [3, 4, 5, 6, 7][difficulty - 1]
    minutes = [6, 8, 12, 15, 20][difficulty - 1]
    while True:
        config = {
            "pumps": pumps,
            "minutes": minutes,
            "needed": 2,
            "periods": [random.randint(1, 5) for pump in range(pumps)],
            "fuel": [random.randint(0, 1 + minutes // 3) for pump in range(pumps)],
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, pumps, minutes, needed):
    # The periods that each pump may have; the number after the last minute stands for all longer ones.
    periods = [list(range(1, minutes + 2)) for pump in range(pumps)]
    silent = set()

    def is_due(pump, minute):
        due = {minute % period == 0 for period in periods[pump]}
        if len(due) == 2:
            answer = tools.is_due(pump=pump, minute=minute)
            periods[pump] = [period for period in periods[pump] if (minute % period == 0) == answer]
            return answer
        return due == {True}

    answer = []
    for minute in range(1, minutes + 1):
        count = 0
        for pump in range(pumps):
            if count < needed and pump not in silent and is_due(pump, minute):
                if tools.start_pump(pump=pump):
                    count += 1
                else:
                    silent.add(pump)
        if count == needed:
            answer.append(minute)
    return answer
