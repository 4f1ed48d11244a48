"""A toy factory has {benches} workbenches, numbered from 0, and gets new lamps. A lamp above a bench
lights this bench and every other one that is near enough to it.

The lamps are hung like this. The benches are visited in the order of their numbers. A bench that is
broken gets no lamp. Any other bench gets a lamp unless it is already lit by a lamp that hangs above an
earlier bench.

Answer with the numbers of the benches that get a lamp, in ascending order.
"""

META = {
    "title": "Factory lamps",
    "tags": ["geometry", "greedy"],
    "public": ["benches"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem cave-lights",
}


class Environment:
    def __init__(
        self, benches: int, positions: list[list[int]], conditions: list[int], reach: int, sound: int
    ):
        if (
            benches != len(positions)
            or benches != len(conditions)
            or any(len(each) != 2 for each in positions)
        ):
            raise ValueError("every bench needs a position of two numbers and a condition")
        if reach < 0:
            raise ValueError("the reach of a lamp is negative")
        self.positions = positions
        self.conditions = conditions
        self.reach = reach
        self.sound = sound

    def is_broken(self, bench: int) -> bool:
        """Tell whether a bench is broken.

        Args:
            bench: the number of the bench.
        """
        check_bench(bench, self.positions)
        return self.conditions[bench] < self.sound

    def would_light(self, lamp: int, bench: int) -> bool:
        """Tell whether a lamp above one bench would light another one, broken or not.

        Args:
            lamp: the number of the bench above which the lamp hangs.
            bench: the number of the other bench.
        """
        check_bench(lamp, self.positions)
        check_bench(bench, self.positions)
        return lights(self.positions[lamp], self.positions[bench], self.reach)


def check_bench(bench, positions):
    if not 0 <= bench < len(positions):
        raise ValueError(f"the factory has benches 0 to {len(positions) - 1}")


def lights(lamp, bench, reach):
    return (lamp[0] - bench[0]) ** 2 + (lamp[1] - bench[1]) ** 2 <= reach * reach


def reference(
    benches: int, positions: list[list[int]], conditions: list[int], reach: int, sound: int
) -> list[int]:
    lamps = []
    for bench in range(benches):
        lit = any(lights(positions[lamp], positions[bench], reach) for lamp in lamps)
        if conditions[bench] >= sound and not lit:
            lamps.append(bench)
    return lamps


def mistakes(
    benches: int, positions: list[list[int]], conditions: list[int], reach: int, sound: int
) -> dict[str, list[int]]:
    chain = [
        bench
        for bench in range(benches)
        if conditions[bench] >= sound
        and not any(lights(positions[other], positions[bench], reach) for other in range(bench))
    ]
    return {
        "hangs lamps above broken benches": reference(benches, positions, [sound] * benches, reach, sound),
        "takes every earlier bench for a lamp": chain,
    }


def generate(random, difficulty):
    benches = [7, 10, 15, 21, 28][difficulty - 1]
    while True:
        config = {
            "benches": benches,
            "positions": [[random.randint(0, 30), random.randint(0, 30)] for bench in range(benches)],
            "conditions": [random.randint(0, 9) for bench in range(benches)],
            "reach": random.randint(7, 11),
            "sound": 2,
        }
        right = reference(**config)
        if all(wrong != right for wrong in mistakes(**config).values()):
            return config


def solve(tools, benches):
    lamps = []
    for bench in range(benches):
        if tools.is_broken(bench=bench):
            continue
        lit = False
        for lamp in reversed(lamps):
            if tools.would_light(lamp=lamp, bench=bench):
                lit = True
                break
        if not lit:
            lamps.append(bench)
    return lamps
