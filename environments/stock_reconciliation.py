"""Work through a tray of yesterday's warehouse papers, and report what the stock counts found.

The warehouse has {shelves} shelves, named S1 to S{shelves}. For each of them the books hold a number of
units. Every paper carries a number, the number of the document behind it, who wrote it, the time at which
it happened, and one of these kinds:
- "order": we ordered units from a supplier. Posting it opens the order; no shelf changes.
- "delivery": units arrived against an order and were put on a shelf. Only as many are booked in as are
  still open on that order; the surplus was sent back.
- "shipment": units left a shelf. Only as many are booked out as the books hold there; the rest is
  cancelled.
- "return": a customer sent back units of a shipment, and they went onto a shelf. Only as many are booked
  in as were booked out on that shipment and have not come back yet.
- "count": somebody counted a shelf. The sheet is sealed: opening it shows the counted units and freezes
  the shelf. Adjust the shelf by the difference, so that the books say what was counted; that thaws it
  again.

The papers have to be dealt with strictly in the order of their times. The tray does not list them in that
order, and it does not hold all of them at first: a paper may be clipped behind another, and comes into the
tray only when the one in front has been dealt with. A clipped paper is always later than the one in front
of it, but it may well be earlier than others that lie in the tray already.

Nothing can be undone. A paper posted too early is rejected if it is against a paper that is not posted
yet, or if its shelf is frozen. Otherwise it is booked, rightly or wrongly, by what the books say at that
moment.
{circumstances}
Deal with every paper: the books that you leave behind are checked. Your answer is the discrepancy report:
an object with one entry for every count sheet, from its number to its difference, the counted units minus
the units in the books just before the adjustment (negative when stock is missing, 0 when there is no
difference). For example: {{"P123": -4, "P871": 2}}
"""

from collections import defaultdict
from typing import Literal, TypedDict

META = {
    "title": "Stock reconciliation",
    "tags": ["warehouse", "ordering"],
    "public": ["shelves", "circumstances"],
    "license": "MIT",
    "source": "original",
}

CIRCUMSTANCES = """
Not all of the papers are to be posted or opened. The others are set aside, each when its turn comes by its
time:
- A "withdrawal" says that the paper that it is against was written in error. It counts only if it was
  written by the one who wrote that paper. A withdrawn paper is set aside when its turn comes, and so is
  every withdrawal, whether it counts or not. Withdrawals and count sheets are never withdrawn.
- Papers with the same document number report the same event, perhaps with different units, and are against
  the same paper. Only one of them is posted: the storekeeper's rather than the driver's, and the driver's
  rather than the office's, even if its time is later. A withdrawn one is left out of account. No two count
  sheets have the same document number.
- A paper that is against one that was set aside is set aside as well.
- What counts is what lies in the tray when the turn of a paper comes. What comes into the tray later changes
  nothing about a paper that has been posted: a withdrawal is without effect then, and other papers with the
  document number of a posted one are set aside, whoever wrote them.

A count sheet may turn out to be illegible when it is opened. What was counted cannot be found out then: the
shelf is thawed without an adjustment, and the report has null for the sheet.
"""
MOST_UNITS = 100_000
WRITERS = ["storekeeper", "driver", "office"]


class Paper(TypedDict):
    number: str
    document: str
    written_by: Literal["storekeeper", "driver", "office"]
    time: str
    kind: Literal["order", "delivery", "shipment", "return", "count", "withdrawal"]
    shelf: str | None
    against: str | None
    units: int | None
    clipped_behind: str | None


class Config(TypedDict):
    shelves: int
    circumstances: str
    opening: list[int]
    papers: list[Paper]


class Posting(TypedDict):
    paper: str
    booked: int
    in_tray: int


class Count(TypedDict):
    shelf: str
    counted: int | None
    in_tray: int


class Books(TypedDict):
    units: dict[str, int]
    adjusted: dict[str, int | None]
    set_aside: list[str]
    left: int


def waiting(papers: dict[str, Paper], done: list[str]) -> list[str]:
    """The papers in the tray: not dealt with, and no longer clipped behind one that is not."""
    return [
        number
        for number in sorted(papers)
        if number not in done and (papers[number]["clipped_behind"] or number) in [number] + done
    ]


def is_to_set_aside(
    paper: Paper, in_tray: list[Paper], posted: list[Paper], set_aside: list[str], forget: str = ""
) -> bool:
    """Whether a paper whose turn has come is set aside; with one rule forgotten, if it is named."""
    if paper["kind"] == "withdrawal" or paper["against"] in set_aside:
        return True
    if is_withdrawn(paper, in_tray, forget):
        return True
    if forget == "posts all papers of a document":
        return False
    own_rank = WRITERS.index(paper["written_by"])
    stands = [other for other in posted if other["document"] == paper["document"]]
    if stands and forget == "posts a better paper although another one was posted":
        return any(WRITERS.index(other["written_by"]) <= own_rank for other in stands)
    others = [other for other in in_tray if other["document"] == paper["document"]]
    if forget == "posts the first paper of a document":
        others = []
    elif forget != "prefers a better paper that was withdrawn":
        others = [other for other in others if not is_withdrawn(other, in_tray, forget)]
    better = [other for other in others if WRITERS.index(other["written_by"]) < own_rank]
    return len(stands + better) > 0


def is_withdrawn(paper: Paper, in_tray: list[Paper], forget: str = "") -> bool:
    withdrawals = [
        other for other in in_tray if other["kind"] == "withdrawal" and other["against"] == paper["number"]
    ]
    if forget == "heeds withdrawals that others wrote":
        return len(withdrawals) > 0
    own = [withdrawal for withdrawal in withdrawals if withdrawal["written_by"] == paper["written_by"]]
    return len(own) > 0 and forget != "overlooks withdrawals"


class Environment:
    def __init__(self, config: Config):
        self.books = {f"S{index + 1}": units for index, units in enumerate(config["opening"])}
        self.papers = {paper["number"]: paper for paper in config["papers"]}
        self.done = []
        self.remaining = {}  # units still open on a posted order, or still out on a posted shipment
        self.frozen = {}  # the count sheet that each frozen shelf waits to be adjusted after
        self.adjusted = {}
        self.aside = []

    def tray(self) -> list[str]:
        """List the numbers of the papers that are in the tray now, sorted by number."""
        return waiting(self.papers, self.done)

    def read(self, paper: str) -> Paper:
        """Read a paper in the tray. The units on a count sheet are sealed (null) until it is opened.

        Args:
            paper: number of a paper in the tray.
        """
        if paper not in waiting(self.papers, self.done):
            raise ValueError("there is no such paper in the tray")
        found = dict(self.papers[paper])
        if found["kind"] == "count":
            found["units"] = None
        return found

    def book(self, shelf: str) -> int:
        """Look up how many units the books hold on a shelf at this moment.

        Args:
            shelf: name of the shelf, such as S1.
        """
        if shelf not in self.books:
            raise ValueError(f"shelf must be one of S1 to S{len(self.books)}")
        return self.books[shelf]

    def post(self, paper: str) -> Posting:
        """Post an order, a delivery, a shipment or a return for good.

        Shows how many units were booked, and how many papers are in the tray now.

        Args:
            paper: number of a paper in the tray that is neither a count sheet nor a withdrawal.
        """
        if paper not in waiting(self.papers, self.done):
            raise ValueError("there is no such paper in the tray")
        found = self.papers[paper]
        kind, shelf, against, booked = found["kind"], found["shelf"], found["against"], found["units"]
        if kind == "count":
            raise ValueError("a count sheet is not posted: open it, then adjust the shelf")
        if kind == "withdrawal":
            raise ValueError("a withdrawal is not posted")
        if against is not None and against not in self.remaining:
            raise ValueError(f"rejected: paper {paper} is against {against}, which is not posted yet")
        if shelf in self.frozen:
            raise ValueError(f"rejected: shelf {shelf} is frozen until it has been adjusted")
        if kind in ("delivery", "return"):
            booked = min(booked, self.remaining[against])
            self.remaining[against] -= booked
            self.books[shelf] += booked
        else:
            if kind == "shipment":
                booked = min(booked, self.books[shelf])
                self.books[shelf] -= booked
            self.remaining[paper] = booked
        self.done.append(paper)
        return {"paper": paper, "booked": booked, "in_tray": len(waiting(self.papers, self.done))}

    def set_aside(self, paper: str) -> int:
        """Set a paper aside for good without booking it; returns how many papers are in the tray now.

        Args:
            paper: number of a paper in the tray that is not a count sheet.
        """
        if paper not in waiting(self.papers, self.done):
            raise ValueError("there is no such paper in the tray")
        if self.papers[paper]["kind"] == "count":
            raise ValueError("a count sheet is not set aside: open it")
        self.done.append(paper)
        self.aside.append(paper)
        return len(waiting(self.papers, self.done))

    def open_count(self, paper: str) -> Count:
        """Open a sealed count sheet for good; its shelf is frozen until it has been adjusted or thawed.

        Shows the units that were counted, null if they are illegible, and how many papers are in the tray
        now.

        Args:
            paper: number of a count sheet in the tray.
        """
        if paper not in waiting(self.papers, self.done):
            raise ValueError("there is no such paper in the tray")
        found = self.papers[paper]
        if found["kind"] != "count":
            raise ValueError("this paper is not a count sheet")
        if found["shelf"] in self.frozen:
            raise ValueError(f"shelf {found['shelf']} still has to be adjusted after its last count")
        self.frozen[found["shelf"]] = paper
        self.done.append(paper)
        in_tray = len(waiting(self.papers, self.done))
        return {"shelf": found["shelf"], "counted": found["units"], "in_tray": in_tray}

    def adjust(self, shelf: str, units: int) -> int:
        """Book a difference on a counted shelf for good and thaw it; returns what the books hold there now.

        Args:
            shelf: name of a frozen shelf.
            units: units to add to the books, negative to take them away, 0 if books and count agree.
        """
        if shelf not in self.frozen:
            raise ValueError("open a count of the shelf first: it is adjusted once after each count")
        if not 0 <= self.books[shelf] + units <= MOST_UNITS:
            raise ValueError(f"the books of a shelf must stay between 0 and {MOST_UNITS} units")
        self.adjusted[self.frozen.pop(shelf)] = units
        self.books[shelf] += units
        return self.books[shelf]

    def thaw(self, shelf: str) -> int:
        """Thaw a shelf for good without an adjustment; returns what the books hold there.

        Args:
            shelf: name of a frozen shelf.
        """
        if shelf not in self.frozen:
            raise ValueError("this shelf is not frozen")
        self.adjusted[self.frozen.pop(shelf)] = None
        return self.books[shelf]

    def final_state(self) -> Books:
        left = len(self.papers) - len(self.done) + len(self.frozen)
        aside = sorted(self.aside)
        return {"units": self.books, "adjusted": self.adjusted, "set_aside": aside, "left": left}


UNLIMITED = {
    "return": "books in more than is out on a shipment",
    "shipment": "books more out than a shelf holds",
    "delivery": "books surplus deliveries",
}


def keep_books(config: Config, forget: str = "") -> dict:
    """The answer and the final state by the rules; with one rule forgotten, if it is named."""
    books = {f"S{index + 1}": units for index, units in enumerate(config["opening"])}
    papers = {paper["number"]: paper for paper in config["papers"]}
    report, adjusted, remaining, posted, aside, done = {}, {}, defaultdict(int), [], [], []
    for paper in in_order(config["papers"], forget):
        number, kind, shelf, units = paper["number"], paper["kind"], paper["shelf"], paper["units"]
        in_tray = [papers[each] for each in waiting(papers, done)] if config["circumstances"] else []
        done.append(number)
        if kind == "count":
            report[number] = 0 if forget == "takes an illegible count for no difference" else None
            if units is not None:
                report[number] = units - books[shelf]
            reports_only = units is not None and forget == "reports the differences without adjusting"
            adjusted[number] = 0 if reports_only else report[number]
            books[shelf] += adjusted[number] or 0
            continue
        if is_to_set_aside(paper, in_tray, posted, aside, forget):
            aside.append(number)
            continue
        posted.append(paper)
        # What limits a paper: the books of its shelf, or what is left of the paper that it is against.
        against = paper["against"]
        limit = {"order": units, "shipment": books.get(shelf)}.get(kind, remaining[against])
        booked = units if forget == UNLIMITED.get(kind) else min(units, limit)
        if kind in ("order", "shipment"):
            remaining[number] = booked
        else:
            remaining[against] -= booked
        if kind != "order":
            books[shelf] += -booked if kind == "shipment" else booked
    state = {"units": books, "adjusted": adjusted, "set_aside": sorted(aside), "left": 0}
    return {"answer": report, "state": state}


def in_order(papers: list[Paper], forget: str) -> list[Paper]:
    if forget == "deals with the papers by number":
        return sorted(papers, key=lambda paper: paper["number"])
    if forget == "sorts the tray only once":
        # What comes into the tray later is appended.
        return sorted(papers, key=lambda paper: (paper["clipped_behind"] is not None, paper["time"]))
    return sorted(papers, key=lambda paper: paper["time"])


def reference(config: Config) -> dict[str, int | None]:
    return keep_books(config)["answer"]


def accepts(answer: dict[str, int | None], state: Books, config: Config) -> bool:
    return {"answer": answer, "state": state} == keep_books(config)


STRICT = [
    *UNLIMITED.values(),
    "deals with the papers by number",
    "sorts the tray only once",
    "reports the differences without adjusting",
]
SETTING_ASIDE = [
    "overlooks withdrawals",
    "heeds withdrawals that others wrote",
    "posts all papers of a document",
    "posts the first paper of a document",
    "posts a better paper although another one was posted",
    "prefers a better paper that was withdrawn",
    "takes an illegible count for no difference",
]


def mistakes(config: Config) -> dict:
    rules = STRICT + SETTING_ASIDE if config["circumstances"] else STRICT
    return {rule: keep_books(config, rule) for rule in rules}


def solve(tools, shelves, circumstances):
    report, known, posted, aside = {}, {}, [], []
    in_tray = None
    while True:
        if in_tray != len(known):
            for number in tools.tray():
                if number not in known:
                    known[number] = tools.read(paper=number)
        if not known:
            return report
        number = min(known, key=lambda each: known[each]["time"])
        paper = known[number]
        if paper["kind"] == "count":
            sheet = tools.open_count(paper=number)
            report[number] = None
            if sheet["counted"] is None:
                tools.thaw(shelf=sheet["shelf"])
            else:
                report[number] = sheet["counted"] - tools.book(shelf=sheet["shelf"])
                tools.adjust(shelf=sheet["shelf"], units=report[number])
            in_tray = sheet["in_tray"]
        elif is_to_set_aside(paper, list(known.values()), posted, aside):
            aside.append(number)
            in_tray = tools.set_aside(paper=number)
        else:
            posted.append(paper)
            in_tray = tools.post(paper=number)["in_tray"]
        known.pop(number)


def draw_papers(random, size: int, counts: int, shelves: int) -> list[Paper]:
    """Draw the papers in the order of their times: an order first, a count last."""
    names = [f"S{index + 1}" for index in range(shelves)]
    counted_at = random.sample(range(2, size - 1), counts - 1) + [size - 1]
    numbers, documents = random.sample(range(100, 1000), size), random.sample(range(100, 1000), size)
    papers = []
    for index, number in enumerate(numbers):
        kind = random.choice(["order", "delivery", "delivery", "return", "return", "shipment", "shipment"])
        if index == 0 or index in counted_at:
            kind = "count" if index else "order"
        opener = {"delivery": "order", "return": "shipment"}.get(kind)
        openers = [paper["number"] for paper in papers if paper["kind"] == opener]
        if opener and not openers:
            kind = "shipment"
        papers.append(
            {
                "number": f"P{number}",
                "document": f"D{documents[index]}{random.randint(1, 9)}",
                "written_by": random.choice(WRITERS),
                "time": "",
                "kind": kind,
                "shelf": None if kind == "order" else random.choice(names),
                "against": random.choice(openers) if openers else None,
                "units": random.randint(6, 30),
                "clipped_behind": None,
            }
        )
    return papers


def add_errors(random, papers: list[Paper], each: int):
    """Add withdrawals and further papers of the same documents, some of them too late to count."""
    numbers = [paper["number"] for paper in papers]
    spare = random.sample([f"P{n}" for n in range(100, 1000) if f"P{n}" not in numbers], 8 * each)
    postable = [paper for paper in papers if paper["kind"] != "count"]
    doubled = [paper for paper in postable if paper["kind"] in ("delivery", "return")]
    doubled = random.sample(doubled, min(4 * each, len(doubled)))
    withdrawn = [paper for paper in postable if paper not in doubled]
    withdrawn = random.sample(withdrawn, min(3 * each, len(withdrawn)))
    for index, paper in enumerate(doubled):
        # A later paper that is worse, better, better but too late, or better but withdrawn.
        paper["written_by"] = WRITERS[0] if index % 4 == 0 else random.choice(WRITERS[1:])
        own_rank = WRITERS.index(paper["written_by"])
        writer = random.choice(WRITERS[:own_rank] or WRITERS[1:])
        double = {**paper, "number": spare.pop(), "written_by": writer}
        double["units"] = random.choice([units for units in range(6, 31) if units != paper["units"]])
        insert(random, papers, double, paper, paper, index % 4 == 2)
        if index % 4 == 3:
            insert(random, papers, withdrawal_of(double, writer, spare.pop()), double, paper, False)
    for index, paper in enumerate(withdrawn):
        # A withdrawal by the one who wrote the paper, by another, or too late.
        others = [writer for writer in WRITERS if writer != paper["written_by"]]
        writer = random.choice(others) if index % 3 == 1 else paper["written_by"]
        insert(random, papers, withdrawal_of(paper, writer, spare.pop()), paper, paper, index % 3 == 2)


def withdrawal_of(paper: Paper, writer: str, number: str) -> Paper:
    withdrawal = {**paper, "number": number, "document": f"D{number[1:]}0", "kind": "withdrawal"}
    withdrawal.update({"written_by": writer, "shelf": None, "against": paper["number"], "units": None})
    return withdrawal


def insert(random, papers: list[Paper], paper: Paper, earlier: Paper, deciding: Paper, too_late: bool):
    """Insert a paper after an earlier one, in the tray or not yet when the turn of the deciding one comes."""
    turn = papers.index(deciding)
    place = random.randint(papers.index(earlier) + 1, len(papers) - 1)
    fronts = papers[turn:place] if too_late else papers[:turn]
    paper["clipped_behind"] = random.choice(fronts)["number"] if fronts else None
    papers.insert(place, paper)


def finish_papers(random, config: Config, added: list[str]):
    """Clip papers together, and give them their times and the counts their units."""
    papers, minute = config["papers"], 7 * 60
    for index, paper in enumerate(papers):
        minute += random.randint(3, 24)
        paper["time"] = f"{minute // 60:02d}:{minute % 60:02d}"
        if index and paper["number"] not in added and random.random() < 0.45:
            paper["clipped_behind"] = random.choice(papers[:index])["number"]
    counts = [paper for paper in papers if paper["kind"] == "count"]
    illegible = random.sample(counts[:-1], len(counts) // 3) if added else []
    for count in counts:
        if count in illegible:
            count["units"] = None
            continue
        in_books = count["units"] - keep_books(config)["answer"][count["number"]]
        count["units"] = in_books + random.randint(-min(9, in_books), 6)


def draw_config(random, difficulty: int) -> Config:
    shelves = (2, 2, 3, 4, 5)[difficulty - 1]
    opening = [random.randint(5, 30) for index in range(shelves)]
    size, counts = (5, 8, 12, 17, 25)[difficulty - 1], (2, 2, 3, 5, 7)[difficulty - 1]
    papers = draw_papers(random, size, counts, shelves)
    drawn = [paper["number"] for paper in papers]
    config = {"shelves": shelves, "circumstances": "", "opening": opening, "papers": papers}
    if difficulty > 3:
        config["circumstances"] = CIRCUMSTANCES
        add_errors(random, papers, difficulty - 3)
    finish_papers(random, config, [paper["number"] for paper in papers if paper["number"] not in drawn])
    papers.sort(key=lambda paper: paper["number"])
    return config


def generate(random, difficulty: int) -> Config:
    # Rules that may be forgotten without a consequence; each of the others changes the result.
    spared = random.sample(list(UNLIMITED.values()), 2 if difficulty == 1 else 0)
    rules = STRICT + SETTING_ASIDE if difficulty > 3 else STRICT
    while True:
        config = draw_config(random, difficulty)
        right = keep_books(config)
        if all(rule in spared or keep_books(config, rule) != right for rule in rules):
            return config
