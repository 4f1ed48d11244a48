"""A lighthouse log is a text of the letters "l" for a long sound, "s" for a short sound and "p" for a
pause of the fog horn. The log begins with the call sign of the lighthouse: its first `letters`
sounds, where pauses in front of them and between them are left out (`letters` is at least 1). The
call sign is then looked for in the rest of the log, from left to right. A call begins with a sound,
and pauses between its sounds do not count. When a call sign was found, the search goes on behind
its last sound, so that calls do not overlap. Answer with the positions in the log at which the
calls begin, the first one included. If the log has fewer than `letters` sounds, return an empty
list.

You are not shown log; ask the tools about it. You know letters = {letters}.
"""


META = {
    'title': 'Fog signals',
    'tags': ['traced'],
    'public': ['letters'],
    'source': 'codegym-mcp examples, problem fog-signals',
    'license': 'MIT',
}


def is_pause(log, place):
    return log[place] == 'p'

def sound_alike(log, place, other):
    return log[place] == log[other]

def find_calls(log, letters):
    length = len(log)
    sign = []
    start = 0
    while start < length and len(sign) < letters:
        if not is_pause(log, start):
            sign.append(start)
        start += 1
    if len(sign) < letters:
        return []
    found = [sign[0]]
    while start < length:
        place, letter = (start, 0)
        while place < length and letter < letters:
            if is_pause(log, place):
                if letter == 0:
                    break
            elif sound_alike(log, place, sign[letter]):
                letter += 1
            else:
                break
            place += 1
        if letter == letters:
            found.append(start)
            start = place
        else:
            start += 1
    return found


class Environment:
    def __init__(self, log: str, letters: int):
        self.log = log

    def count_log(self) -> int:
        """Returns the length of `log`."""
        return len(self.log)

    def is_pause(self, place: int) -> bool:
        """Returns whether there is a pause at a position of the log.

        Args:
            place: position in `log`, counted from 0.
        """
        if not 0 <= place < len(self.log):
            raise ValueError(f"place must be at least 0 and less than {len(self.log)}.")
        try:
            return bool(is_pause(self.log, place))
        except Exception:
            raise ValueError("is_pause is not defined for this place; choose other arguments.")

    def sound_alike(self, place: int, other: int) -> bool:
        """Returns whether two positions of the log have the same letter.

        Args:
            place: position in `log`, counted from 0.
            other: position in `log`, counted from 0.
        """
        if not 0 <= place < len(self.log):
            raise ValueError(f"place must be at least 0 and less than {len(self.log)}.")
        if not 0 <= other < len(self.log):
            raise ValueError(f"other must be at least 0 and less than {len(self.log)}.")
        try:
            return bool(sound_alike(self.log, place, other))
        except Exception:
            raise ValueError("sound_alike is not defined for this place and other; choose other arguments.")


def reference(log: str, letters: int) -> list[int]:
    return find_calls(log, letters)


def solve(tools, letters):
    known_is_pause = {}

    def ask_is_pause(place):
        if place not in known_is_pause:
            known_is_pause[place] = tools.is_pause(place=place)
        return known_is_pause[place]
    count_log = tools.count_log()
    length = count_log
    sign = []
    start = 0
    while start < length and len(sign) < letters:
        if not ask_is_pause(place=start):
            sign.append(start)
        start += 1
    if len(sign) < letters:
        return []
    found = [sign[0]]
    while start < length:
        place, letter = (start, 0)
        while place < length and letter < letters:
            if ask_is_pause(place=place):
                if letter == 0:
                    break
            elif tools.sound_alike(place=place, other=sign[letter]):
                letter += 1
            else:
                break
            place += 1
        if letter == letters:
            found.append(start)
            start = place
        else:
            start += 1
    return found
