"""A power network has {stations} stations, numbered from 0, and one consumer at each, with the same number. Station 0
is the plant; every other station is fed by another one with a smaller number. A consumer is connected to its own
station if that has enough power left for it. Otherwise it is tried at the station that feeds that one, and so on
upwards. A consumer that comes to station 0 in this way, and the consumer of station 0 itself, is not connected at
all, and 0 is noted for it. The consumer with the greatest number is connected first, then the one before it, and so
on down to consumer 0.

Work at the switchboard; what is connected cannot be disconnected. Answer with a list of the stations at which the
consumers are connected, in the order in which they were: the one of consumer {last} first, the 0 of consumer 0 last.
"""

META = {
    "title": "Switchboard",
    "tags": ["trees", "simulation"],
    "public": ["stations", "last"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem worm-tunnels",
}


class Environment:
    def __init__(self, stations: int, last: int, feeders: list[int], power: list[int], needs: list[int]):
        if stations < 2 or last != stations - 1 or {len(feeders), len(power), len(needs)} != {stations}:
            raise ValueError("there are two stations or more, and a feeder, a power and a need for each")
        if any(not 0 <= feeders[station] < station for station in range(1, stations)) or min(power + needs) < 0:
            raise ValueError("feeders have smaller numbers, and nothing is negative")
        self.feeders = feeders
        self.power = list(power)
        self.needs = needs
        self.connected = []

    def feeding_station(self, station: int) -> int:
        """Return the number of the station that feeds a station; refused for station 0.

        Args:
            station: number of the station.
        """
        check_number(station, self.feeders)
        if station == 0:
            raise ValueError("station 0 is the plant")
        return self.feeders[station]

    def connect_consumer(self, consumer: int, station: int) -> bool:
        """Connect a consumer to a station if that has enough power left.

        Args:
            consumer: number of the consumer; refused if it is connected already.
            station: number of the station; refused for station 0.

        Returns:
            Whether the power was enough; then the consumer is connected for good.
        """
        check_number(consumer, self.feeders)
        check_number(station, self.feeders)
        if consumer in self.connected:
            raise ValueError("this consumer is connected already")
        if station == 0:
            raise ValueError("the plant has no sockets for consumers")
        if self.needs[consumer] > self.power[station]:
            return False
        self.power[station] -= self.needs[consumer]
        self.connected.append(consumer)
        return True


def check_number(number, feeders):
    if not 0 <= number < len(feeders):
        raise ValueError(f"numbers go from 0 to {len(feeders) - 1}")


def connect(feeders, power, needs, onward):
    left, places = list(power), []
    for consumer in range(len(feeders) - 1, -1, -1):
        station = consumer
        while station and left[station] < needs[consumer]:
            station = feeders[station] if onward else 0
        if station:
            left[station] -= needs[consumer]
        places.append(station)
    return places


def reference(stations: int, last: int, feeders: list[int], power: list[int], needs: list[int]) -> list[int]:
    return connect(feeders, power, needs, True)


def mistakes(stations: int, last: int, feeders: list[int], power: list[int], needs: list[int]) -> dict[str, list[int]]:
    return {"only the own station is tried": connect(feeders, power, needs, False)}


def generate(random, difficulty):
    stations = random.randint(*[(7, 8), (10, 12), (16, 20), (28, 34), (44, 54)][difficulty - 1])
    feeders = [0] + [random.randint(max(0, station - 5), station - 1) for station in range(1, stations)]
    needs = [random.randint(0, 9) for station in range(stations)]
    power = [random.choice([2, 5, 8, 12, 15]) for station in range(stations)]
    return {"stations": stations, "last": stations - 1, "feeders": feeders, "power": power, "needs": needs}


def solve(tools, stations, last):
    feeders = {}
    connected = []
    for consumer in range(stations - 1, -1, -1):
        station = consumer
        while station != 0 and not tools.connect_consumer(consumer=consumer, station=station):
            if station not in feeders:
                feeders[station] = tools.feeding_station(station=station)
            station = feeders[station]
        connected.append(station)
    return connected
