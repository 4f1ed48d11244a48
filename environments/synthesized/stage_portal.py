"""A theatre checks its stage portal before the show. The portal consists of frames one inside the other,
and on each frame lamps go round in a ring. The frames can only be seen after those outside of them have
been folded away; the outermost one can be seen at the beginning. Frames are numbered from 0, from the
outermost one inwards.

A frame is plain if all its lamps have the same colour; a frame with a single lamp is plain. Find all
plain frames. Answer with their numbers in ascending order; the list may be empty. The lamps are tested
in pairs, with the lights off.
"""

META = {
    "title": "Stage portal",
    "tags": ["grids", "comparison"],
    "public": [],
    "license": "MIT",
    "source": "codegym-mcp examples, problem carpet-border",
}


class Environment:
    def __init__(self, frames: list[str]):
        if not frames or min(len(frame) for frame in frames) < 1:
            raise ValueError("the portal needs frames, each of them with lamps")
        self.frames = frames
        self.frame = 0

    def count_lamps(self) -> int:
        """Count the lamps of the outermost frame that has not been folded away, or tell 0 if none is left."""
        return len(self.frames[self.frame]) if self.frame < len(self.frames) else 0

    def same_colour(self, lamp: int, other: int) -> bool:
        """Test whether two lamps of the outermost frame have the same colour.

        Args:
            lamp: the number of a lamp of this frame, from 0.
            other: the number of another lamp of this frame.
        """
        lamps = self.count_lamps()
        if not (0 <= lamp < lamps and 0 <= other < lamps):
            raise ValueError(f"the outermost frame has {lamps} lamps, numbered from 0")
        return self.frames[self.frame][lamp] == self.frames[self.frame][other]

    def fold_away(self) -> int:
        """Fold the outermost frame away for good and tell how many frames have been folded away."""
        if self.frame == len(self.frames):
            raise ValueError("no frame is left")
        self.frame += 1
        return self.frame


def reference(frames: list[str]) -> list[int]:
    return [number for number, frame in enumerate(frames) if len(set(frame)) == 1]


def generate(random, difficulty):
    count = random.randint(*[(3, 4), (4, 6), (6, 8), (9, 11), (12, 14)][difficulty - 1])
    frames = []
    for number in range(count):
        lamps = random.randint(3, 4 + 2 * difficulty)
        colour = random.choice("rgbwy")
        frame = [colour] * lamps
        if random.random() < 0.5:
            frame[random.randrange(lamps // 2, lamps)] = random.choice("kv")
        frames.append("".join(frame))
    return {"frames": frames}


def solve(tools):
    plain = []
    frame = 0
    lamps = tools.count_lamps()
    while lamps:
        if all(tools.same_colour(lamp=0, other=other) for other in range(1, lamps)):
            plain.append(frame)
        tools.fold_away()
        frame += 1
        lamps = tools.count_lamps()
    return plain
