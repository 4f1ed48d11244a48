"""Hermit crabs sit in a row on a beach, and shells lie in a row beside them. sizes[c] is the size of
crab c, widths[s] is the width of shell s; every crab begins in no shell. Crabs choose in the order
of their numbers. A crab walks along the shells from shell 0 and takes the first one that is at
least as wide as the crab and that is either free or occupied by a smaller crab. A crab that is
driven out of its shell chooses again at once, beginning behind the shell that it has lost. A crab
that finds no shell leaves the beach. Answer with a list with the number of the crab in each shell,
or -1 for a free one.

You are not shown sizes and widths; ask the tools about them.
"""


META = {
    'title': 'Hermit crabs',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem hermit-crabs',
    'license': 'MIT',
}


def fits(sizes, widths, crab, shell):
    return sizes[crab] <= widths[shell]

def is_smaller(sizes, crab, other):
    return sizes[crab] < sizes[other]

def settle(sizes, widths):
    shells = len(widths)
    owners = [-1] * shells
    for arriving in range(len(sizes)):
        crab = arriving
        shell = 0
        while shell < shells:
            if fits(sizes, widths, crab, shell):
                owner = owners[shell]
                if owner < 0:
                    owners[shell] = crab
                    break
                if is_smaller(sizes, owner, crab):
                    owners[shell] = crab
                    crab = owner
            shell += 1
    return owners


class Environment:
    def __init__(self, sizes: list[int], widths: list[int]):
        self.sizes = sizes
        self.widths = widths

    def count_widths(self) -> int:
        """Returns the length of `widths`."""
        return len(self.widths)

    def count_sizes(self) -> int:
        """Returns the length of `sizes`."""
        return len(self.sizes)

    def fits(self, crab: int, shell: int) -> bool:
        """Returns whether a crab is at most as large as a shell is wide.

        Args:
            crab: position in `sizes`, counted from 0.
            shell: position in `widths`, counted from 0.
        """
        if not 0 <= crab < len(self.sizes):
            raise ValueError(f"crab must be at least 0 and less than {len(self.sizes)}.")
        if not 0 <= shell < len(self.widths):
            raise ValueError(f"shell must be at least 0 and less than {len(self.widths)}.")
        try:
            return bool(fits(self.sizes, self.widths, crab, shell))
        except Exception:
            raise ValueError("fits is not defined for this crab and shell; choose other arguments.")

    def is_smaller(self, crab: int, other: int) -> bool:
        """Returns whether a crab is smaller than another one.

        Args:
            crab: position in `sizes`, counted from 0.
            other: position in `sizes`, counted from 0.
        """
        if not 0 <= crab < len(self.sizes):
            raise ValueError(f"crab must be at least 0 and less than {len(self.sizes)}.")
        if not 0 <= other < len(self.sizes):
            raise ValueError(f"other must be at least 0 and less than {len(self.sizes)}.")
        try:
            return bool(is_smaller(self.sizes, crab, other))
        except Exception:
            raise ValueError("is_smaller is not defined for this crab and other; choose other arguments.")


def reference(sizes: list[int], widths: list[int]) -> list[int]:
    return settle(sizes, widths)


def solve(tools):
    known_is_smaller = {}

    def ask_is_smaller(crab, other):
        if (crab, other) not in known_is_smaller:
            known_is_smaller[crab, other] = tools.is_smaller(crab=crab, other=other)
        return known_is_smaller[crab, other]
    count_widths = tools.count_widths()
    count_sizes = tools.count_sizes()
    shells = count_widths
    owners = [-1] * shells
    for arriving in range(count_sizes):
        crab = arriving
        shell = 0
        while shell < shells:
            if tools.fits(crab=crab, shell=shell):
                owner = owners[shell]
                if owner < 0:
                    owners[shell] = crab
                    break
                if ask_is_smaller(crab=owner, other=crab):
                    owners[shell] = crab
                    crab = owner
            shell += 1
    return owners
