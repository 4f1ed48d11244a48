"""A necklace is described by a text with one letter for each bead; the letter is the colour, in lower
case for a whole bead and in upper case for a cracked one. A jeweller cuts a piece out of it, that
is, beads that follow one another. The piece must not have a cracked bead, nor two beads of the same
colour. Answer with a list with the first bead of the longest possible piece and its length; of
several longest pieces take the one that begins first. If there is no whole bead, return [0, 0].

You are not shown beads; ask the tools about it.
"""


META = {
    'title': 'Glass beads',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem glass-beads',
    'license': 'MIT',
}


def is_cracked(beads, bead):
    return beads[bead].isupper()

def have_same_colour(beads, one, other):
    return beads[one].lower() == beads[other].lower()

def longest_piece(beads):
    count = len(beads)
    first = 0
    best = [0, 0]
    for bead in range(count):
        if is_cracked(beads, bead):
            first = bead + 1
            continue
        for other in range(bead - 1, first - 1, -1):
            if have_same_colour(beads, bead, other):
                first = other + 1
                break
        if bead - first + 1 > best[1]:
            best = [first, bead - first + 1]
    return best


class Environment:
    def __init__(self, beads: str):
        self.beads = beads

    def count_beads(self) -> int:
        """Returns the length of `beads`."""
        return len(self.beads)

    def is_cracked(self, bead: int) -> bool:
        """Returns whether a bead is cracked.

        Args:
            bead: position in `beads`, counted from 0.
        """
        if not 0 <= bead < len(self.beads):
            raise ValueError(f"bead must be at least 0 and less than {len(self.beads)}.")
        try:
            return bool(is_cracked(self.beads, bead))
        except Exception:
            raise ValueError("is_cracked is not defined for this bead; choose other arguments.")

    def have_same_colour(self, one: int, other: int) -> bool:
        """Returns whether two beads have the same colour, whole or cracked.

        Args:
            one: position in `beads`, counted from 0.
            other: position in `beads`, counted from 0.
        """
        if not 0 <= one < len(self.beads):
            raise ValueError(f"one must be at least 0 and less than {len(self.beads)}.")
        if not 0 <= other < len(self.beads):
            raise ValueError(f"other must be at least 0 and less than {len(self.beads)}.")
        try:
            return bool(have_same_colour(self.beads, one, other))
        except Exception:
            raise ValueError("have_same_colour is not defined for this one and other; choose other arguments.")


def reference(beads: str) -> list[int]:
    return longest_piece(beads)


def solve(tools):
    count_beads = tools.count_beads()
    count = count_beads
    first = 0
    best = [0, 0]
    for bead in range(count):
        if tools.is_cracked(bead=bead):
            first = bead + 1
            continue
        for other in range(bead - 1, first - 1, -1):
            if tools.have_same_colour(one=bead, other=other):
                first = other + 1
                break
        if bead - first + 1 > best[1]:
            best = [first, bead - first + 1]
    return best
