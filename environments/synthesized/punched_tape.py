"""In a baggage hall an old punched tape of {numbers} numbers lists consignments. Its places are numbered
from 0.

A valid consignment begins with a count n from 1 to 6. Then n numbers follow, and after them a check
number, which has to be the last digit of the sum of these n numbers. All of it has to be on the tape.

The tape is read from place 0. If a valid consignment begins at the place that is read, it is accepted,
and the reading goes on at the place directly behind its check number. Otherwise the reading goes on at
the next place.

Answer with the places at which accepted consignments begin, in ascending order; the list may be empty.
"""

META = {
    "title": "Punched tape",
    "tags": ["parsing"],
    "public": ["numbers"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem relay-message",
}


class Environment:
    def __init__(self, numbers: int, tape: list[int]):
        if numbers != len(tape) or not tape or min(tape) < 0:
            raise ValueError("the tape needs numbers, none of them negative")
        self.tape = tape

    def read_count(self, place: int) -> int:
        """Read the number at a place.

        Args:
            place: the place on the tape, from 0.
        """
        if not 0 <= place < len(self.tape):
            raise ValueError(f"the tape has places 0 to {len(self.tape) - 1}")
        return self.tape[place]

    def add_up(self, start: int, end: int) -> int:
        """Run the tape through the adding machine and read the last digit of a sum.

        Args:
            start: the place of the first number of the sum.
            end: the place after the last number of the sum; at most six numbers can be added at once.
        """
        if not 0 <= start < end <= len(self.tape) or end - start > 6:
            raise ValueError(
                f"the machine adds one to six numbers within the places 0 to {len(self.tape) - 1}"
            )
        return sum(self.tape[start:end]) % 10


def read(tape, skips):
    found = []
    place = 0
    while place < len(tape):
        check = place + tape[place] + 1
        valid = 1 <= tape[place] <= 6 and check < len(tape)
        if valid and sum(tape[place + 1 : check]) % 10 == tape[check]:
            found.append(place)
            place = check + 1 if skips else place + 1
        else:
            place += 1
    return found


def reference(numbers: int, tape: list[int]) -> list[int]:
    return read(tape, True)


def mistakes(numbers: int, tape: list[int]) -> dict[str, list[int]]:
    return {"reads within accepted consignments": read(tape, False)}


def generate(random, difficulty):
    numbers = [14, 22, 40, 70, 110][difficulty - 1]
    while True:
        tape = []
        while len(tape) < numbers:
            if random.random() < 0.4:
                tape.append(random.randint(0, 9))
                continue
            body = [random.choice([0, 1, 1, 2, 2, 3, 4, 9]) for number in range(random.randint(1, 5))]
            check = sum(body) % 10 if random.random() < 0.7 else random.randint(0, 9)
            tape += [len(body), *body, check]
        config = {"numbers": numbers, "tape": tape[:numbers]}
        right = reference(**config)
        if right and right not in mistakes(**config).values():
            return config


def solve(tools, numbers):
    tape = {}
    accepted = []
    place = 0
    # The shortest consignment has three numbers: count, one number, check number.
    while place + 2 < numbers:
        if place not in tape:
            tape[place] = tools.read_count(place=place)
        count = tape[place]
        end = place + 1 + count
        valid = False
        if count in (1, 2, 3, 4, 5, 6) and end < numbers:
            if end not in tape:
                tape[end] = tools.read_count(place=end)
            if 0 <= tape[end] <= 9:
                valid = tools.add_up(start=place + 1, end=end) == tape[end]
        if valid:
            accepted.append(place)
            place = end + 1
        else:
            place += 1
    return accepted
