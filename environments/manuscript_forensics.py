"""The rent roll of Aldermere Abbey named {names} tenants on each of its {leaves} leaves, no name twice on
a leaf. The roll itself burnt long ago. {copies} copies of it survive, known by the first {copies} capital
letters, and you are to establish which book each of them was copied from.

What is known about the scribes:
- Every copy was made leaf by leaf from exactly one book: the original roll, or another of the surviving
  copies.
- Scribes skipped entries and made no other mistakes. Every scribe skipped at least one entry that stood
  in the book before him. What was missing there he could not supply, so a copy lacks all that its
  exemplar lacks.
- No entry was skipped by two scribes independently. Different scribes may well have skipped different
  entries of the same leaf, so the same number of names on a leaf does not prove a relation.

The reading room has rules. Each copy may be handled {handlings} times and is then closed for good.
Counting the names on a range of leaves costs one handling, however long the range, and harms nothing.
Reading a leaf costs three. Some leaves are brittle: a brittle leaf that is read as it is crumbles, tells
nothing, and can never be read or counted again, alone or within a range. Strengthening it first costs no
handling but one of {sheets} sheets of tissue, which are all there is for all copies together. Examining
the condition of a copy is free. The allowance is not enough for leafing through everything.

Answer with an object that gives for every copy the letter of the book it was copied from, or "original".
With only two copies, it could be {{"A": "original", "B": "A"}}.
"""

from string import ascii_uppercase
from typing import TypedDict

META = {
    "title": "Manuscript forensics",
    "tags": ["inference", "evidence"],
    "public": ["copies", "leaves", "names", "handlings", "sheets"],
    "license": "MIT",
    "source": "original",
}

READING_COST = 3
TENANTS = (
    "Adam Agnes Alban Aldith Alice Ansel Avice Basil Beatrix Benet Cecily Clement Constance Denis "
    "Edith Edmund Ela Emma Everard Felice Fulk Gervase Gilbert Godwin Hawise Hugh Ida Isolde Ivo Joan "
    "Lambert Lettice Lucian Mabel Martin Maud Nicholas Odo Osbert Petronel Ralph Reynold Rohese Sabin "
    "Simon Thurstan Walter"
).split()  # a prime number of names, so that the stride in original_leaf repeats none


class Condition(TypedDict):
    handlings_left: int
    sheets_left: int
    brittle_leaves: list[int]
    crumbled_leaves: list[int]


class Reading(TypedDict):
    crumbled: bool
    names: list[str]


def original_leaf(leaf: int, names: int, shift: int) -> list[str]:
    return [TENANTS[(shift + 13 * leaf + 5 * place) % len(TENANTS)] for place in range(names)]


def gaps(copy: str, exemplars: dict[str, str], skipped: dict[str, list[list[int]]]) -> list[list[int]]:
    """All entries a copy lacks, as [leaf, place]: its scribe's own and those of the books before it."""
    found = []
    while copy != "original":
        found += skipped[copy]
        copy = exemplars[copy]
    return found


class Environment:
    def __init__(
        self,
        copies: int,
        leaves: int,
        names: int,
        handlings: int,
        sheets: int,
        shift: int,
        exemplars: dict[str, str],
        skipped: dict[str, list[list[int]]],
        brittle: dict[str, list[int]],
    ):
        self.leaves = leaves
        self.sheets = sheets
        self.handlings = dict.fromkeys(exemplars, handlings)
        self.brittle = {copy: list(brittle[copy]) for copy in exemplars}
        self.crumbled = {copy: [] for copy in exemplars}
        self.text = {}
        for copy in exemplars:
            missing = gaps(copy, exemplars, skipped)
            self.text[copy] = {
                leaf: [
                    name
                    for place, name in enumerate(original_leaf(leaf, names, shift))
                    if [leaf, place] not in missing
                ]
                for leaf in range(1, leaves + 1)
            }

    def examine(self, copy: str) -> Condition:
        """Look at the condition of a copy: what it still bears and which leaves are brittle. Free.

        Args:
            copy: letter of the copy.
        """
        check_copy(copy, self.text)
        return {
            "handlings_left": self.handlings[copy],
            "sheets_left": self.sheets,
            "brittle_leaves": sorted(self.brittle[copy]),
            "crumbled_leaves": sorted(self.crumbled[copy]),
        }

    def count_names(self, copy: str, first_leaf: int, last_leaf: int) -> int:
        """Count the names on a range of leaves of a copy, both ends included; costs one handling.

        Args:
            copy: letter of the copy.
            first_leaf: first leaf of the range, from 1.
            last_leaf: last leaf of the range, not before the first.
        """
        check_copy(copy, self.text)
        check_leaf(first_leaf, self.leaves)
        check_leaf(last_leaf, self.leaves)
        if last_leaf < first_leaf:
            raise ValueError("last_leaf must not lie before first_leaf")
        for leaf in sorted(self.crumbled[copy]):
            if first_leaf <= leaf <= last_leaf:
                raise ValueError(f"leaf {leaf} of copy {copy} has crumbled; count ranges that leave it out")
        if self.handlings[copy] < 1:
            raise ValueError(f"copy {copy} has been handled as often as allowed and is closed")
        self.handlings[copy] -= 1
        return sum(len(self.text[copy][leaf]) for leaf in range(first_leaf, last_leaf + 1))

    def strengthen(self, copy: str, leaf: int) -> int:
        """Back a brittle leaf with tissue so that it can be read safely; returns the sheets of tissue left.

        Args:
            copy: letter of the copy.
            leaf: number of the leaf, from 1.
        """
        check_copy(copy, self.text)
        check_leaf(leaf, self.leaves)
        if leaf not in self.brittle[copy]:
            raise ValueError(f"leaf {leaf} of copy {copy} is not brittle; examine the copy first")
        if self.sheets < 1:
            raise ValueError("there is no tissue left")
        self.sheets -= 1
        self.brittle[copy].remove(leaf)
        return self.sheets

    def read_leaf(self, copy: str, leaf: int) -> Reading:
        """Read the names on one leaf of a copy; costs three handlings, and a brittle leaf crumbles unread.

        Args:
            copy: letter of the copy.
            leaf: number of the leaf, from 1.
        """
        check_copy(copy, self.text)
        check_leaf(leaf, self.leaves)
        if leaf in self.crumbled[copy]:
            raise ValueError(f"leaf {leaf} of copy {copy} has crumbled")
        if self.handlings[copy] < READING_COST:
            left = self.handlings[copy]
            raise ValueError(f"reading takes {READING_COST} handlings and copy {copy} has {left} left")
        self.handlings[copy] -= READING_COST
        if leaf in self.brittle[copy]:
            self.brittle[copy].remove(leaf)
            self.crumbled[copy].append(leaf)
            return {"crumbled": True, "names": []}
        return {"crumbled": False, "names": list(self.text[copy][leaf])}


def check_copy(copy: str, text: dict) -> None:
    if copy not in text:
        raise ValueError(f"copy must be one of {', '.join(sorted(text))}")


def check_leaf(leaf: int, leaves: int) -> None:
    if not 1 <= leaf <= leaves:
        raise ValueError(f"a leaf must be between 1 and {leaves}")


def reference(
    copies: int,
    leaves: int,
    names: int,
    handlings: int,
    sheets: int,
    shift: int,
    exemplars: dict[str, str],
    skipped: dict[str, list[list[int]]],
    brittle: dict[str, list[int]],
) -> dict[str, str]:
    return dict(exemplars)


def solve(tools, copies, leaves, names, handlings, sheets):
    lacks = {copy: locate_gaps(tools, copy, leaves, names) for copy in ascii_uppercase[:copies]}
    total = {copy: sum(lacks[copy].values()) for copy in lacks}
    brittle, read = {}, {}

    def names_on(copy, leaf):
        if copy not in brittle:
            brittle[copy] = tools.examine(copy=copy)["brittle_leaves"]
        if (copy, leaf) not in read:
            if leaf in brittle[copy]:
                tools.strengthen(copy=copy, leaf=leaf)
            read[copy, leaf] = set(tools.read_leaf(copy=copy, leaf=leaf)["names"])
        return read[copy, leaf]

    # The books behind a copy form a chain of growing gaps: the one with the most gaps is its exemplar.
    exemplars, own_leaf = {}, {}
    for copy in sorted(lacks, key=total.get):
        exemplar = "original"
        for candidate in sorted(exemplars, key=total.get, reverse=True):
            covered = all(lacks[copy].get(leaf, 0) >= count for leaf, count in lacks[candidate].items())
            if covered and total[candidate] < total[copy]:
                leaf = own_leaf[candidate]
                if names_on(copy, leaf) <= names_on(candidate, leaf):
                    exemplar = candidate
                    break
        inherited = lacks.get(exemplar, {})
        own_leaf[copy] = min(leaf for leaf, count in lacks[copy].items() if count > inherited.get(leaf, 0))
        exemplars[copy] = exemplar
    return exemplars


def locate_gaps(tools, copy, leaves, names) -> dict[int, int]:
    """How many names each leaf of a copy lacks, found by halving ranges that lack any."""
    found = {}
    lacking = leaves * names - tools.count_names(copy=copy, first_leaf=1, last_leaf=leaves)
    ranges = [(1, leaves, lacking)]
    while ranges:
        first, last, lacking = ranges.pop()
        if lacking and first == last:
            found[first] = lacking
        elif lacking:
            middle = (first + last) // 2
            counted = tools.count_names(copy=copy, first_leaf=first, last_leaf=middle)
            left = (middle + 1 - first) * names - counted
            ranges += [(first, middle, left), (middle + 1, last, lacking - left)]
    return found


def generate(random, difficulty: int) -> dict:
    copies = (4, 5, 6, 8, 10)[difficulty - 1]
    leaves = (6, 8, 13, 20, 32)[difficulty - 1]
    names = 9
    while True:
        exemplars, skipped = draw_tradition(random, copies, leaves, names)
        lacks = {copy: sorted(leaf for leaf, place in gaps(copy, exemplars, skipped)) for copy in exemplars}
        handlings = 2 + leaves // 6 + max(handlings_needed(lacks[copy], leaves) for copy in lacks)
        modest = handlings < READING_COST * leaves and max(len(lacks[copy]) for copy in lacks) <= 5
        if modest and counts_mislead(lacks, exemplars):
            break
    brittle = {}
    for copy in exemplars:
        with_gaps = sorted(set(lacks[copy]))
        others = [leaf for leaf in range(1, leaves + 1) if leaf not in with_gaps]
        brittle[copy] = sorted(
            [leaf for leaf in with_gaps if random.random() < 0.4] + random.sample(others, leaves // 5)
        )
    return {
        "copies": copies,
        "leaves": leaves,
        "names": names,
        "handlings": handlings,
        "sheets": sum(leaf in lacks[copy] for copy in brittle for leaf in brittle[copy]) + 1,
        "shift": random.randrange(len(TENANTS)),
        "exemplars": exemplars,
        "skipped": skipped,
        "brittle": brittle,
    }


def draw_tradition(random, copies, leaves, names):
    """A random copying tree, with skipped entries that crowd on a few leaves."""
    parent, skipped, taken = {}, {}, []
    crowded = random.sample(range(1, leaves + 1), min(leaves, copies))
    for copy in random.sample(ascii_uppercase[:copies], copies):
        parent[copy] = random.choice(["original"] + list(parent))
        skipped[copy] = []
        for skip in range(random.choice((1, 1, 2))):
            entry = [random.choice(crowded), random.randrange(names)]
            while entry in taken or sum(leaf == entry[0] for leaf, place in taken) > names - 3:
                entry = [random.randint(1, leaves), random.randrange(names)]
            taken.append(entry)
            skipped[copy].append(entry)
    return dict(sorted(parent.items())), dict(sorted(skipped.items()))


def counts_mislead(lacks: dict[str, list[int]], exemplars: dict[str, str]) -> bool:
    """Whether the numbers of names alone would suggest a false exemplar for some copy."""
    for copy, wanted in lacks.items():
        others = [
            other
            for other in lacks
            if len(lacks[other]) < len(wanted)
            and all(lacks[other].count(leaf) <= wanted.count(leaf) for leaf in lacks[other])
        ]
        if others and exemplars[copy] != max(others, key=lambda other: len(lacks[other])):
            return True
    return False


def handlings_needed(lacking: list[int], leaves: int) -> int:
    """What it takes to count a copy, find its leaves with gaps by halving, and read each of them."""
    return 1 + halvings(lacking, 1, leaves) + READING_COST * len(set(lacking))


def halvings(lacking: list[int], first: int, last: int) -> int:
    """How many counts halving takes to find the leaves with gaps, once the whole range has been counted."""
    if first == last or not any(first <= leaf <= last for leaf in lacking):
        return 0
    middle = (first + last) // 2
    return 1 + halvings(lacking, first, middle) + halvings(lacking, middle + 1, last)
