"""The rent roll of Aldermere Abbey named {names} tenants on each of its {leaves} leaves, no name twice on
a leaf. The roll itself burnt long ago. {copies} copies of it survive, known by the first {copies} capital
letters, and you are to establish which book each of them was copied from.

What is known about the scribes:
- Every copy was made leaf by leaf from exactly one book: the original roll or another copy.
- Scribes skipped entries and made no other mistakes. Every scribe skipped at least one entry that stood
  in the book before him. What was missing there he could not supply, so a copy lacks all that its
  exemplar lacks.
- No entry was skipped by two scribes independently.
{lost_copies}
The reading room has rules. The copies may be handled {handlings} times in all. Counting the names on a range
of leaves costs one handling, however long the range, and harms nothing. Reading a leaf costs three. Some
leaves are brittle: a brittle leaf that is read as it is crumbles, tells nothing, and can never be read or
counted again, alone or within a range. Strengthening it first costs no handling but one of {sheets} sheets
of tissue, which are all there is. Examining a copy is free.

Answer with an object that gives for every copy the letter of the book it was copied from, or "original".
With only two copies, it could be {{"A": "original", "B": "A"}}.
"""

from string import ascii_uppercase
from typing import TypedDict

META = {
    "title": "Manuscript forensics",
    "tags": ["inference", "evidence"],
    "public": ["copies", "leaves", "names", "handlings", "sheets", "lost_copies"],
    "license": "MIT",
    "source": "original",
}

LOST_COPIES = """- Some copies are lost. They were made in the same way, and from each of them at least
  two of the surviving copies were made. For a copy that was made from a lost one, the answer is "lost".
- Some copies bear an inscription by a later owner about the book that they were copied from. Where it
  contradicts the entries of the copies, it is wrong.
"""
READING_COST = 3
MOST_HANDLINGS = 240
TENANTS = (
    "Adam Agnes Alban Aldith Alice Ansel Avice Basil Beatrix Benet Cecily Clement Constance Denis "
    "Edith Edmund Ela Emma Everard Felice Fulk Gervase Gilbert Godwin Hawise Hugh Ida Isolde Ivo Joan "
    "Lambert Lettice Lucian Mabel Martin Maud Nicholas Odo Osbert Petronel Ralph Reynold Rohese Sabin "
    "Simon Thurstan Walter"
).split()  # a prime number of names, so that the stride in original_leaf repeats none


class Config(TypedDict):
    copies: int
    leaves: int
    names: int
    handlings: int
    sheets: int
    lost_copies: str
    shift: int
    exemplars: dict[str, str]
    skipped: dict[str, list[list[int]]]
    brittle: dict[str, list[int]]
    inscriptions: dict[str, str]


class Condition(TypedDict):
    handlings_left: int
    sheets_left: int
    inscription: str | None
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


def lacking(config: Config) -> dict[str, list[list[int]]]:
    """The entries that each surviving copy lacks."""
    return {copy: gaps(copy, config["exemplars"], config["skipped"]) for copy in config["brittle"]}


class Environment:
    def __init__(self, config: Config):
        self.leaves = config["leaves"]
        self.handlings = config["handlings"]
        self.sheets = config["sheets"]
        self.inscriptions = config["inscriptions"]
        self.brittle = {copy: list(leaves) for copy, leaves in config["brittle"].items()}
        self.crumbled = {copy: [] for copy in self.brittle}
        self.text = {}
        for copy, missing in lacking(config).items():
            self.text[copy] = {
                leaf: [
                    name
                    for place, name in enumerate(original_leaf(leaf, config["names"], config["shift"]))
                    if [leaf, place] not in missing
                ]
                for leaf in range(1, self.leaves + 1)
            }

    def examine(self, copy: str) -> Condition:
        """Examine a copy: its inscription, if it has one, and its brittle leaves. Free.

        Args:
            copy: letter of the copy.
        """
        check_copy(copy, self.text)
        return {
            "handlings_left": self.handlings,
            "sheets_left": self.sheets,
            "inscription": self.inscriptions.get(copy),
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
        if self.handlings < 1:
            raise ValueError("the copies have been handled as often as allowed")
        self.handlings -= 1
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
        if self.handlings < READING_COST:
            raise ValueError(f"reading takes {READING_COST} handlings, and {self.handlings} are left")
        self.handlings -= READING_COST
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


def reference(config: Config) -> dict[str, str]:
    books, exemplars = [*config["brittle"], "original"], config["exemplars"]
    return {copy: exemplars[copy] if exemplars[copy] in books else "lost" for copy in config["brittle"]}


def surviving_line(config: Config, copy: str) -> list[str]:
    """The surviving books behind a copy, the nearest first, up to the original roll."""
    line = []
    while copy != "original":
        copy = config["exemplars"][copy]
        line.append(copy)
    return [book for book in line if book in config["brittle"]] + ["original"]


def likely_by_numbers(config: Config, copy: str) -> str:
    """The exemplar of a copy as the numbers of names on the leaves alone suggest it."""
    lacks = {each: [leaf for leaf, place in missing] for each, missing in lacking(config).items()}
    fewer = [
        other
        for other in lacks
        if len(lacks[other]) < len(lacks[copy])
        and all(lacks[other].count(leaf) <= lacks[copy].count(leaf) for leaf in lacks[other])
    ]
    return max(fewer, key=lambda other: len(lacks[other]), default="original")


def mistakes(config: Config) -> dict[str, dict[str, str]]:
    right = reference(config)
    lines = {copy: surviving_line(config, copy) for copy in right}
    found = {
        "goes by the numbers of names": {copy: likely_by_numbers(config, copy) for copy in right},
        "names the first copy of the line": {copy: ([right[copy]] + lines[copy][:-1])[-1] for copy in right},
    }
    if config["lost_copies"]:
        found["knows of no lost copies"] = {copy: lines[copy][0] for copy in right}
        found["trusts the inscriptions"] = right | config["inscriptions"]
    return found


def solve(tools, copies, leaves, names, handlings, sheets, lost_copies):
    counted = {copy: locate_gaps(tools, copy, leaves, names) for copy in ascii_uppercase[:copies]}
    brittle, pages = {}, {}

    def read(copy, leaf):
        if copy not in brittle:
            brittle[copy] = tools.examine(copy=copy)["brittle_leaves"]
        if (copy, leaf) not in pages:
            if leaf in brittle[copy]:
                tools.strengthen(copy=copy, leaf=leaf)
            pages[copy, leaf] = set(tools.read_leaf(copy=copy, leaf=leaf)["names"])
        return pages[copy, leaf]

    return establish(counted, names, bool(lost_copies), read)


def establish(counted: dict[str, dict[int, int]], names: int, may_be_lost: bool, read) -> dict[str, str]:
    """The book that each copy was made from.

    Takes the number of gaps on each leaf that has any, by copy, and reads as few leaves as it can: read(copy,
    leaf) gives a set of names.
    """
    total = {copy: sum(counted[copy].values()) for copy in counted}
    exemplars, since = {}, {}

    def goes_back(copy, book):
        """Whether a copy lacks what the scribe of the book skipped."""
        if total[book] >= total[copy] or any(
            counted[copy].get(leaf, 0) < count for leaf, count in counted[book].items()
        ):
            return False
        # If no book is lost, all that is new in a book was skipped by its own scribe: one leaf will do.
        leaves = since[book] if may_be_lost else since[book][:1]
        return all(read(copy, leaf) <= read(book, leaf) for leaf in leaves)

    def shares(copy, other):
        """Whether both copies lack an entry that stands in the nearest surviving book behind the first."""
        for leaf in since[copy]:
            if leaf not in counted[other]:
                continue
            both = read(copy, leaf) | read(other, leaf)
            if leaf not in counted.get(exemplars[copy], {}):
                if len(both) < names:
                    return True
            elif not read(exemplars[copy], leaf) <= both:
                return True
        return False

    for copy in sorted(counted, key=total.get):
        # The books behind a copy form a line of growing gaps: the one with the most gaps is the nearest.
        earlier = sorted(exemplars, key=total.get, reverse=True)
        exemplars[copy] = next((book for book in earlier if goes_back(copy, book)), "original")
        before = counted.get(exemplars[copy], {})
        since[copy] = [leaf for leaf in sorted(counted[copy]) if counted[copy][leaf] > before.get(leaf, 0)]
    if not may_be_lost:
        return exemplars
    lost = [
        copy
        for copy in counted
        if any(other != copy and shares(copy, other) and not goes_back(other, copy) for other in counted)
    ]
    return exemplars | dict.fromkeys(lost, "lost")


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


def draw_tradition(random, copies: int, lost: int, leaves: int, names: int) -> tuple[dict, dict]:
    """A random copying tree, with skipped entries that crowd on a few leaves."""
    parent, skipped, taken = {}, {}, []
    crowded = random.sample(range(1, leaves + 1), min(leaves, copies))
    books = list(ascii_uppercase[:copies]) + [f"{number}?" for number in range(1, lost + 1)]
    for copy in random.sample(books, copies + lost):
        parent[copy] = random.choice(["original"] + list(parent))
        skipped[copy] = []
        for skip in range(random.choice((1, 1, 2))):
            entry = [random.choice(crowded), random.randrange(names)]
            while entry in taken or sum(leaf == entry[0] for leaf, place in taken) > names - 3:
                entry = [random.randint(1, leaves), random.randrange(names)]
            taken.append(entry)
            skipped[copy].append(entry)
    return dict(sorted(parent.items())), dict(sorted(skipped.items()))


def needs(config: Config) -> tuple[int, int]:
    """The handlings and the sheets of tissue that it takes to establish all exemplars."""
    lacks = lacking(config)
    counted = {copy: {leaf: 0 for leaf, place in missing} for copy, missing in lacks.items()}
    for copy, missing in lacks.items():
        for leaf, place in missing:
            counted[copy][leaf] += 1
    pages = set()

    def read(copy, leaf):
        pages.add((copy, leaf))
        return {place for place in range(config["names"]) if [leaf, place] not in lacks[copy]}

    establish(counted, config["names"], bool(config["lost_copies"]), read)
    counts = sum(1 + halvings(list(each), 1, config["leaves"]) for each in counted.values())
    tissue = sum(leaf in config["brittle"][copy] for copy, leaf in pages)
    return counts + READING_COST * len(pages), tissue


def halvings(lacking: list[int], first: int, last: int) -> int:
    """How many counts halving takes to find the leaves with gaps, once the whole range has been counted."""
    if first == last or not any(first <= leaf <= last for leaf in lacking):
        return 0
    middle = (first + last) // 2
    return 1 + halvings(lacking, first, middle) + halvings(lacking, middle + 1, last)


def generate(random, difficulty: int) -> Config:
    copies = (4, 5, 6, 8, 10)[difficulty - 1]
    lost = (0, 0, 0, 1, 2)[difficulty - 1]
    leaves = (6, 8, 13, 20, 32)[difficulty - 1]
    names = 9
    while True:
        exemplars, skipped = draw_tradition(random, copies, lost, leaves, names)
        surviving = ascii_uppercase[:copies]
        children = [exemplars[copy] for copy in surviving]
        if not all(children.count(copy) > 1 for copy in exemplars if copy not in surviving):
            continue
        config = {
            "copies": copies,
            "leaves": leaves,
            "names": names,
            "lost_copies": LOST_COPIES if lost else "",
            "shift": random.randrange(len(TENANTS)),
            "exemplars": exemplars,
            "skipped": skipped,
            "brittle": {copy: [] for copy in surviving},
            "inscriptions": {},
        }
        for copy, missing in lacking(config).items():
            with_gaps = sorted({leaf for leaf, place in missing})
            others = [leaf for leaf in range(1, leaves + 1) if leaf not in with_gaps]
            brittle = [leaf for leaf in with_gaps if random.random() < 0.4]
            config["brittle"][copy] = sorted(brittle + random.sample(others, min(len(others), leaves // 5)))
            if lost and random.random() < 0.5:
                exemplar = reference(config)[copy]
                config["inscriptions"][copy] = random.choice(
                    [book for book in [*surviving, "original"] if book != copy]
                    if exemplar == "lost" or random.random() < 0.5
                    else [exemplar]
                )
        handlings, tissue = needs(config)
        config["handlings"] = handlings + handlings // 3
        config["sheets"] = tissue + tissue // 2
        wrong = [answer != reference(config) for answer in mistakes(config).values()]
        if tissue > 1 and handlings <= MOST_HANDLINGS and (all(wrong) or difficulty == 1):
            return config
