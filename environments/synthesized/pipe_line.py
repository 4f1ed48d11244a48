"""A water works has a line of {segments} pipe segments, numbered from 0, made of several alloys. Some
segments are cracked. A piece is to be cut out of the line: segments that follow one another.

The piece must not have a cracked segment, nor two segments of the same alloy. Find the longest such
piece; of several equally long ones, the one that begins first. Answer with a list of two numbers: the
number of its first segment, and how many segments it has. If every segment is cracked, answer with [0,
0].
"""

META = {
    "title": "Pipe line",
    "tags": ["texts", "sliding window"],
    "public": ["segments"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem glass-beads",
}


class Environment:
    def __init__(self, segments: int, line: str):
        if segments < 1 or segments != len(line) or not line.isalpha():
            raise ValueError("the line needs a letter for each segment")
        self.line = line

    def is_cracked(self, segment: int) -> bool:
        """Look with the camera whether a segment is cracked.

        Args:
            segment: the number of the segment.
        """
        check_segment(segment, self.line)
        return self.line[segment].isupper()

    def same_alloy(self, segment: int, other: int) -> bool:
        """Compare two segments by their sound: whether they are of the same alloy, cracked or not.

        Args:
            segment: the number of a segment.
            other: the number of another segment.
        """
        check_segment(segment, self.line)
        check_segment(other, self.line)
        return self.line[segment].lower() == self.line[other].lower()


def check_segment(segment, line):
    if not 0 <= segment < len(line):
        raise ValueError(f"the segments have the numbers 0 to {len(line) - 1}")


def longest(line, first_wins):
    best = [0, 0]
    for start in range(len(line)):
        seen = set()
        for letter in line[start:]:
            if letter.isupper() or letter in seen:
                break
            seen.add(letter)
        if len(seen) > best[1] or (not first_wins and seen and len(seen) == best[1]):
            best = [start, len(seen)]
    return best


def reference(segments: int, line: str) -> list[int]:
    return longest(line, True)


def mistakes(segments: int, line: str) -> dict[str, list[int]]:
    return {"ignores cracks": longest(line.lower(), True), "last of the longest": longest(line, False)}


def generate(random, difficulty):
    segments = [9, 13, 20, 32, 48][difficulty - 1]
    alloys = "abcdefgh"[: 4 + difficulty // 2]
    while True:
        line = "".join(random.choice(alloys) for segment in range(segments))
        line = "".join(letter.upper() if random.random() < 0.15 else letter for letter in line)
        config = {"segments": segments, "line": line}
        right = reference(**config)
        wrong = mistakes(**config)
        if right != wrong["ignores cracks"] and (
            right != wrong["last of the longest"] or random.random() < 0.3
        ):
            return config


def solve(tools, segments):
    best = [0, 0]
    start = 0
    for segment in range(segments):
        if tools.is_cracked(segment=segment):
            start = segment + 1
            continue
        for other in range(segment - 1, start - 1, -1):
            if tools.same_alloy(segment=segment, other=other):
                start = other + 1
                break
        if segment - start + 1 > best[1]:
            best = [start, segment - start + 1]
    return best
