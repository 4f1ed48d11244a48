"""A satellite has a boom with {sensors} heat sensors in a row, from the hull to the tip. Every sensor has a code.
You know the code of one sensor, {known}, but not where it sits.

Find the hot spots: the sensors that are strictly warmer than both of their neighbours. The sensor at the hull and
the one at the tip have one neighbour each and are never hot spots. Answer with the codes of the hot spots in order
along the boom, from the hull to the tip; the list may be empty.
"""

from typing import Literal

META = {
    "title": "Boom hot spots",
    "tags": ["sequences", "comparison"],
    "public": ["sensors", "known"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem swollen-gauges",
}


class Environment:
    def __init__(self, sensors: int, known: str, codes: list[str], readings: list[int]):
        check(sensors, known, codes, readings)
        self.codes = codes
        self.readings = readings

    def next_sensor(self, sensor: str, side: Literal["hull", "tip"]) -> str | None:
        """Return the code of the neighbour of a sensor on the side of the hull or of the tip, or null at the end.

        Args:
            sensor: code of a sensor.
            side: "hull" for the neighbour nearer to the hull, "tip" for the one nearer to the tip.
        """
        place = find(self.codes, sensor) + (1 if side == "tip" else -1)
        return self.codes[place] if 0 <= place < len(self.codes) else None

    def compare_heat(self, sensor: str, neighbour: str) -> Literal["colder", "equal", "warmer"]:
        """Compare two sensors beside each other: tells whether the first is colder or warmer than the second.

        Args:
            sensor: code of the first sensor.
            neighbour: code of a sensor directly beside it; other pairs are refused.
        """
        one, other = find(self.codes, sensor), find(self.codes, neighbour)
        if abs(one - other) != 1:
            raise ValueError("only two sensors directly beside each other can be compared")
        if self.readings[one] == self.readings[other]:
            return "equal"
        return "warmer" if self.readings[one] > self.readings[other] else "colder"


def find(codes, code):
    if code not in codes:
        raise ValueError("no sensor has this code; next_sensor tells the codes of neighbours")
    return codes.index(code)


def check(sensors, known, codes, readings):
    if sensors < 1 or len(codes) != sensors or len(readings) != sensors or len(set(codes)) != sensors:
        raise ValueError("codes and readings need one entry for each sensor, and codes must differ")
    if known not in codes:
        raise ValueError("the known code must be the code of a sensor")


def reference(sensors: int, known: str, codes: list[str], readings: list[int]) -> list[str]:
    return [
        codes[place]
        for place in range(1, sensors - 1)
        if readings[place] > readings[place - 1] and readings[place] > readings[place + 1]
    ]


def mistakes(sensors: int, known: str, codes: list[str], readings: list[int]) -> dict[str, list[str]]:
    return {
        "ends count": [
            codes[place]
            for place in range(sensors)
            if all(readings[place] > readings[beside] for beside in (place - 1, place + 1) if 0 <= beside < sensors)
        ],
        "only towards the tip": reference(
            sensors - codes.index(known), known, codes[codes.index(known) :], readings[codes.index(known) :]
        ),
    }


def generate(random, difficulty):
    sensors = random.randint(*[(7, 9), (11, 14), (18, 24), (30, 38), (46, 60)][difficulty - 1])
    codes = random.sample([a + b + str(c) for a in "BDFGKLMPRT" for b in "aeiou" for c in range(1, 10)], sensors)
    readings = [random.randint(10, 22 + 2 * difficulty) for place in range(sensors)]
    readings[0], readings[-1] = max(readings[:3]) + 1, max(readings[-3:]) + 1
    known = codes[random.randint(sensors // 3, sensors - 3)]
    return {"sensors": sensors, "known": known, "codes": codes, "readings": readings}


def solve(tools, sensors, known):
    # Towards the hull and towards the tip from the known sensor.
    boom = [known]
    while (code := tools.next_sensor(sensor=boom[0], side="hull")) is not None:
        boom.insert(0, code)
    while len(boom) < sensors and (code := tools.next_sensor(sensor=boom[-1], side="tip")) is not None:
        boom.append(code)
    hot = []
    place = 1
    while place < len(boom) - 1:
        if tools.compare_heat(sensor=boom[place], neighbour=boom[place - 1]) != "warmer":
            place += 1
            continue
        # It is warmer than the one before; climb while the next one is warmer.
        relation = tools.compare_heat(sensor=boom[place], neighbour=boom[place + 1])
        while relation == "colder" and place < len(boom) - 2:
            place += 1
            relation = tools.compare_heat(sensor=boom[place], neighbour=boom[place + 1])
        if relation == "warmer":
            hot.append(boom[place])
            # The next one is colder than this one and cannot be a hot spot.
            place += 2
        elif relation == "equal":
            place += 2
        else:
            break
    return hot
