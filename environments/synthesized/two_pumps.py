"""A water works has {tanks} tanks, numbered from 0, with some water each. Two pumps take turns, {moves} moves in all,
passing included; pump A begins. Pump A always pumps from the fullest tank (of several equally full ones, the one with
the smallest number): {stroke} cubic metres, or all that is left in it if that is less. Pump B always pumps one cubic
metre from the first tank, counted from 0, that is not empty and is not the one from which A has just pumped; if there
is none, B passes. Work ends earlier when all tanks are empty.

Run the pumps. Answer with the list of the tanks from which was pumped, in order, with -1 for each time B passed.
"""

from typing import Literal

META = {
    "title": "Two pumps",
    "tags": ["games", "simulation"],
    "public": ["tanks", "moves", "stroke"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem pebble-piles",
}


class Environment:
    def __init__(self, tanks: int, moves: int, stroke: int, water: list[int]):
        if tanks < 1 or moves < 1 or stroke < 1 or len(water) != tanks or min(water) < 0:
            raise ValueError("there must be tanks, moves and a stroke, and water of 0 or more for each tank")
        self.water = list(water)
        self.stroke = stroke

    def compare_levels(self, tank: int, other: int) -> Literal["lower", "equal", "higher"]:
        """Compare two tanks as they are now: whether the first one has less or more water than the second one.

        Args:
            tank: number of the first tank.
            other: number of the second tank.
        """
        check_tank(tank, self.water)
        check_tank(other, self.water)
        if self.water[tank] == self.water[other]:
            return "equal"
        return "higher" if self.water[tank] > self.water[other] else "lower"

    def is_empty(self, tank: int) -> bool:
        """Look whether a tank is empty now.

        Args:
            tank: number of the tank.
        """
        check_tank(tank, self.water)
        return self.water[tank] == 0

    def pump(self, name: Literal["A", "B"], tank: int) -> None:
        """Let a pump work at a tank once; refused at an empty tank. The rules are not checked.

        Args:
            name: name of the pump; A pumps a whole stroke or what is left, B one cubic metre.
            tank: number of the tank.
        """
        check_tank(tank, self.water)
        if self.water[tank] == 0:
            raise ValueError(f"tank {tank} is empty")
        self.water[tank] = max(0, self.water[tank] - (self.stroke if name == "A" else 1))


def check_tank(tank, water):
    if not 0 <= tank < len(water):
        raise ValueError(f"tanks have the numbers 0 to {len(water) - 1}")


def run(moves, stroke, water, avoid):
    left, order = list(water), []
    while len(order) < moves and any(left):
        if len(order) % 2 == 0:
            tank = left.index(max(left))
            left[tank] = max(0, left[tank] - stroke)
        else:
            tank = next((each for each in range(len(left)) if left[each] and (each != order[-1] or not avoid)), -1)
            if tank >= 0:
                left[tank] -= 1
        order.append(tank)
    return order


def reference(tanks: int, moves: int, stroke: int, water: list[int]) -> list[int]:
    return run(moves, stroke, water, True)


def mistakes(tanks: int, moves: int, stroke: int, water: list[int]) -> dict[str, list[int]]:
    return {"B also pumps from the tank of A": run(moves, stroke, water, False)}


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        tanks = random.randint(*[(3, 4), (4, 5), (5, 6), (6, 7), (7, 9)][difficulty - 1])
        moves = [5, 7, 11, 18, 28][difficulty - 1] + random.randint(0, 2)
        stroke = random.randint(2, 5)
        water = [random.randint(0, 3 + stroke * moves // (2 * tanks) + difficulty) for tank in range(tanks)]
        config = {"tanks": tanks, "moves": moves, "stroke": stroke, "water": water}
        if len(reference(**config)) >= moves - 2 and run(moves, stroke, water, False) != reference(**config):
            return config
    return config


def solve(tools, tanks, moves, stroke):
    # Special cases: all tanks empty ends the work; B passes if only the tank of A has water; ties go to the first.
    filled = [tank for tank in range(tanks) if not tools.is_empty(tank=tank)]
    pumped = []
    last = None
    while filled and len(pumped) < moves:
        if len(pumped) % 2 == 0:
            last = filled[0]
            for tank in filled[1:]:
                if tools.compare_levels(tank=tank, other=last) == "higher":
                    last = tank
            tools.pump(name="A", tank=last)
            pumped.append(last)
        else:
            others = [tank for tank in filled if tank != last]
            if not others:
                pumped.append(-1)
                continue
            tools.pump(name="B", tank=others[0])
            pumped.append(others[0])
        if tools.is_empty(tank=pumped[-1]):
            filled.remove(pumped[-1])
    return pumped
