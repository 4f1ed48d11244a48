"""A relay station receives a tape of whole numbers. A message is a length n (1 to 6), then n numbers,
then a check number, which must be equal to the last digit of their sum. Read from the left: if a
valid message that is complete on the tape begins at the current number, it is accepted and the
reading goes on behind it. Otherwise the current number is skipped. Answer with the positions on the
tape at which accepted messages begin. All numbers are 0 or greater.

You are not shown tape; ask the tools about it.
"""


META = {
    'title': 'Relay message',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem relay-message',
    'license': 'MIT',
}


def has_length(tape, place, length):
    return tape[place] == length

def check_agrees(tape, place, length):
    return sum(tape[place + 1:place + 1 + length]) % 10 == tape[place + 1 + length]

def accepted(tape):
    size = len(tape)
    found = []
    place = 0
    while place < size:
        length = 1
        while length <= 6 and place + length + 2 <= size and (not has_length(tape, place, length)):
            length += 1
        if length <= 6 and place + length + 2 <= size and check_agrees(tape, place, length):
            found.append(place)
            place += length + 2
        else:
            place += 1
    return found


class Environment:
    def __init__(self, tape: list[int]):
        self.tape = tape

    def count_tape(self) -> int:
        """Returns the length of `tape`."""
        return len(self.tape)

    def has_length(self, place: int, length: int) -> bool:
        """Returns whether the number at a place is `length`.

        Args:
            place: position in `tape`, counted from 0.
            length: a whole number.
        """
        if not 0 <= place < len(self.tape):
            raise ValueError(f"place must be at least 0 and less than {len(self.tape)}.")
        try:
            return bool(has_length(self.tape, place, length))
        except Exception:
            raise ValueError("has_length is not defined for this place and length; choose other arguments.")

    def check_agrees(self, place: int, length: int) -> bool:
        """Returns whether the check number of a message of `length` numbers that begins at a place is right.

        Args:
            place: a whole number.
            length: a whole number.
        """
        try:
            return bool(check_agrees(self.tape, place, length))
        except Exception:
            raise ValueError("check_agrees is not defined for this place and length; choose other arguments.")


def reference(tape: list[int]) -> list[int]:
    return accepted(tape)


def solve(tools):
    count_tape = tools.count_tape()
    size = count_tape
    found = []
    place = 0
    while place < size:
        length = 1
        while length <= 6 and place + length + 2 <= size and (not tools.has_length(place=place, length=length)):
            length += 1
        if length <= 6 and place + length + 2 <= size and tools.check_agrees(place=place, length=length):
            found.append(place)
            place += length + 2
        else:
            place += 1
    return found
