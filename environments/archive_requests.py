"""Answer the letters that came to our land registry archive. Some of them cannot be answered, and then the
writer must be told why. This year is {today}.

Most letters ask who owned a parcel of land in a certain year. Ownership passes by deeds (sales and
inheritances) from a giver to a receiver, and a deed counts from the year that the parcel index gives for
it, that year included. The owner in a year is the receiver of the last valid deed up to then.

- Annulments: a court may have annulled a deed, sometimes much later. An annulled deed was never valid. The
  index says that there is an annulment, and only the annulment itself says which deed it concerns. All
  annulments have survived, and you may use every one of them.
- Divided parcels: in the year of its division a parcel ceases to exist, and its parts exist from that year on
  under new numbers. The deeds of a part continue those of the parcel it came from. A question about a part
  in any year is therefore answered from one line of deeds: first those of the old parcel (and of the parcel
  which that one came from), then those of the part. A question about the old parcel itself is answered from
  its own deeds and those of the parcel it came from, never from those of its parts.
- Volumes: some are lost. A volume is closed while fewer than {closure} years have passed from its last
  year to {today}, whatever the year of the single deed. The staff can read closed volumes, but nothing from
  them may be used in an answer.
- Illegible deeds: the clerk may have noted where a copy is. A copy may be used as the deed itself, unless
  its copy book is lost. The years of closure do not apply to copy books, but they apply to the volume of
  the deed: a deed in a closed or lost volume may not be used through a copy either.
- If the deed that decides cannot be used, look at the next valid deed in the line. If that one can be used,
  itself or through a copy, the owner asked for is its giver. If it cannot be used either, there is no answer:
  no other deed may stand in. For example, a parcel has valid deeds of 1850, 1860 and 1870, none of them with
  a copy, and the question is about 1855. If only the deed of 1850 is illegible, the owner is the giver of the
  deed of 1860. If both are illegible, the answer is "illegible", whatever the deed of 1870 says.

If there is no answer, write the reason in its place, the first of these that applies:
- "divided": the parcel asked for had been divided by then;
- "unrecorded": there is no valid deed up to that year;
- "lost" or "closed": the volume of the deed that decides is lost or closed;
- "illegible": the deed that decides is illegible and has no copy that may be used.

A letter of the kind "holdings" asks how many parcels a person owned in a year. Take the parcels that the
name index lists for the person, and of these only the ones that existed under their number in that year.
Write the count as digits. If the owner of one of these parcels cannot be told, write the reason instead; if
this is so for several, the reason of the one with the lowest number.

Answer with an object from the number of each letter to what you write, for example
{{"L1": "Ann Pike", "L2": "lost"}}.
"""

from typing import Literal, TypedDict

META = {
    "title": "Archive requests",
    "tags": ["research", "missing information"],
    "public": ["today", "closure"],
    "license": "MIT",
    "source": "original",
}


class Letter(TypedDict):
    kind: Literal["owner", "holdings"]
    parcel: int | None
    person: str | None
    year: int


class Parcel(TypedDict):
    number: int
    divided_from: int | None
    since: int | None


class Volume(TypedDict):
    first_year: int
    last_year: int
    lost: bool


class Deed(TypedDict):
    parcel: int
    year: int
    volume: str
    folio: int
    giver: str
    receiver: str
    legible: bool
    copy: str | None


class Annulment(TypedDict):
    parcel: int
    year: int
    paper: str
    volume: str
    folio: int


class Entry(TypedDict):
    year: int
    kind: Literal["deed", "annulment"]
    volume: str | None
    folio: int | None
    paper: str | None


class Index(TypedDict):
    divided_from: int | None
    divided_in: int | None
    entries: list[Entry]


class Page(TypedDict):
    legible: bool
    giver: str | None
    receiver: str | None
    copy: str | None


class Paper(TypedDict):
    volume: str
    folio: int


class Config(TypedDict):
    today: int
    closure: int
    letters: dict[str, Letter]
    parcels: list[Parcel]
    volumes: dict[str, Volume]
    lost_copy_books: list[str]
    deeds: list[Deed]
    annulments: list[Annulment]


class Environment:
    def __init__(self, config: Config):
        self.config = config

    def letters(self) -> list[str]:
        """List the numbers of the letters to be answered."""
        return sorted(self.config["letters"], key=lambda number: (len(number), number))

    def read_letter(self, number: str) -> Letter:
        """Read a letter: what it asks about which parcel or person, and for which year.

        Args:
            number: number of the letter.
        """
        if number not in self.config["letters"]:
            raise ValueError(f"there is no letter {number}")
        return self.config["letters"][number]

    def parcel_index(self, parcel: int) -> Index:
        """Look up a parcel: where it comes from, when it was divided, its own deeds and annulments by year.

        Args:
            parcel: number of the parcel.
        """
        found = [each for each in self.config["parcels"] if each["number"] == parcel]
        if not found:
            raise ValueError(f"the index has no parcel {parcel}")
        entries = [
            {
                "year": each["year"],
                "kind": "deed",
                "volume": each["volume"],
                "folio": each["folio"],
                "paper": None,
            }
            for each in self.config["deeds"]
            if each["parcel"] == parcel
        ] + [
            {"year": each["year"], "kind": "annulment", "volume": None, "folio": None, "paper": each["paper"]}
            for each in self.config["annulments"]
            if each["parcel"] == parcel
        ]
        return {
            "divided_from": found[0]["divided_from"],
            "divided_in": division_year(self.config, parcel),
            "entries": sorted(entries, key=lambda entry: (entry["year"], entry["kind"])),
        }

    def name_index(self, person: str) -> list[int]:
        """List the parcels where a person is named in a deed of the parcel or of any parcel it came from.

        Args:
            person: full name.
        """
        return named_parcels(self.config, person)

    def volume(self, name: str) -> Volume:
        """Look up a volume of deeds: its first and last year, and whether it is lost.

        Args:
            name: name of the volume.
        """
        if name not in self.config["volumes"]:
            raise ValueError(f"there is no volume {name}")
        return self.config["volumes"][name]

    def read_deed(self, volume: str, folio: int) -> Page:
        """Read a deed in its volume; an illegible one shows at most where its copy is.

        Args:
            volume: name of the volume.
            folio: folio on which the deed begins.
        """
        if self.volume(volume)["lost"]:
            raise ValueError(f"volume {volume} is lost")
        found = [each for each in self.config["deeds"] if (each["volume"], each["folio"]) == (volume, folio)]
        if not found:
            raise ValueError(f"no deed begins on folio {folio} of volume {volume}")
        deed = found[0]
        if deed["legible"]:
            return {"legible": True, "giver": deed["giver"], "receiver": deed["receiver"], "copy": None}
        return {"legible": False, "giver": None, "receiver": None, "copy": deed["copy"]}

    def read_copy(self, copy: str) -> Page:
        """Read the copy of a deed in a copy book.

        Args:
            copy: the place of the copy as the clerk noted it, such as "K1/20".
        """
        found = [each for each in self.config["deeds"] if each["copy"] == copy]
        if not found:
            raise ValueError(f"there is no copy {copy}")
        book = copy.partition("/")[0]
        if book in self.config["lost_copy_books"]:
            raise ValueError(f"copy book {book} is lost")
        deed = found[0]
        return {"legible": True, "giver": deed["giver"], "receiver": deed["receiver"], "copy": None}

    def read_annulment(self, paper: str) -> Paper:
        """Read an annulment among the court papers: the volume and folio of the deed that it annuls.

        Args:
            paper: number of the paper, as in the parcel index.
        """
        found = [each for each in self.config["annulments"] if each["paper"] == paper]
        if not found:
            raise ValueError(f"there is no paper {paper}")
        return {"volume": found[0]["volume"], "folio": found[0]["folio"]}


def division_year(config: Config, parcel: int) -> int | None:
    years = [each["since"] for each in config["parcels"] if each["divided_from"] == parcel]
    return min(years) if years else None


def line_of(config: Config, parcel: int) -> list[Deed]:
    """All deeds that concern a parcel, with those of the parcels it comes from, by year."""
    line, until = [], config["today"] + 1
    origins = {each["number"]: each for each in config["parcels"]}
    while parcel is not None:
        line += [each for each in config["deeds"] if each["parcel"] == parcel and each["year"] < until]
        until, parcel = origins[parcel]["since"], origins[parcel]["divided_from"]
    return sorted(line, key=lambda deed: deed["year"])


def named_parcels(config: Config, person: str) -> list[int]:
    numbers = [each["number"] for each in config["parcels"]]
    return sorted(
        number
        for number in numbers
        if any(person in (deed["giver"], deed["receiver"]) for deed in line_of(config, number))
    )


def obstacle(config: Config, deed: Deed, forgotten: str) -> str | None:
    """Why a deed cannot be used, or None."""
    volume = config["volumes"][deed["volume"]]
    last_year = deed["year"] if forgotten == "a deed is closed by its own year" else volume["last_year"]
    if volume["lost"]:
        return "lost"
    if config["today"] - last_year < config["closure"] and forgotten != "closed volumes are used":
        return "closed"
    if deed["legible"]:
        return None
    has_copy = deed["copy"] is not None and deed["copy"].partition("/")[0] not in config["lost_copy_books"]
    return None if has_copy and forgotten != "copies are not used" else "illegible"


def owner(config: Config, parcel: int, year: int, forgotten: str) -> str:
    divided = division_year(config, parcel)
    if divided is not None and year >= divided and forgotten != "a divided parcel lives on":
        return "divided"
    line = line_of(config, parcel)
    if forgotten == "the past of a part is left out":
        line = [each for each in line if each["parcel"] == parcel]
    if forgotten != "annulments are ignored":
        annulled = [(each["volume"], each["folio"]) for each in config["annulments"]]
        line = [each for each in line if (each["volume"], each["folio"]) not in annulled]
    before = [
        each for each in line if each["year"] < year + (forgotten != "a deed counts from the next year")
    ]
    if not before:
        return "unrecorded"
    reason = obstacle(config, before[-1], forgotten)
    if reason is None:
        return before[-1]["receiver"]
    if forgotten == "the last usable deed decides":
        usable = [each for each in before if obstacle(config, each, "") is None]
        return usable[-1]["receiver"] if usable else reason
    following = line[len(before) : len(before) + 1]
    if forgotten == "a later deed stands in":
        following = [each for each in line[len(before) :] if obstacle(config, each, "") is None][:1]
    if following and obstacle(config, following[0], forgotten) is None:
        return reason if forgotten == "the next deed is not used" else following[0]["giver"]
    return reason


REASONS = ["divided", "unrecorded", "lost", "closed", "illegible"]


def answers(config: Config, forgotten: str) -> dict[str, str]:
    written = {}
    for number, letter in config["letters"].items():
        if letter["kind"] == "owner":
            written[number] = owner(config, letter["parcel"], letter["year"], forgotten)
            continue
        since = {each["number"]: each["since"] for each in config["parcels"]}
        owners = [
            owner(config, parcel, letter["year"], forgotten)
            for parcel in named_parcels(config, letter["person"])
            if since[parcel] is None
            or since[parcel] <= letter["year"]
            or forgotten == "parcels count before they exist"
        ]
        owners = [each for each in owners if each != "divided"]
        unknown = [each for each in owners if each in REASONS]
        written[number] = unknown[0] if unknown else str(owners.count(letter["person"]))
    return written


def reference(config: Config) -> dict[str, str]:
    return answers(config, "")


def mistakes(config: Config) -> dict[str, dict[str, str]]:
    divided = any(parcel["divided_from"] is not None for parcel in config["parcels"])
    copied = any(deed["copy"] is not None for deed in config["deeds"])
    counted = any(letter["kind"] == "holdings" for letter in config["letters"].values())
    rules = MISTAKES + (ON_DIVIDED if divided else []) + (ON_HOLDINGS if counted else [])
    return {name: answers(config, name) for name in rules if copied or name != "copies are not used"}


MISTAKES = [
    "annulments are ignored",
    "closed volumes are used",
    "a deed is closed by its own year",
    "copies are not used",
    "the next deed is not used",
    "the last usable deed decides",
    "a later deed stands in",
    "a deed counts from the next year",
]
ON_DIVIDED = ["a divided parcel lives on", "the past of a part is left out"]
ON_HOLDINGS = ["parcels count before they exist"]


class Clerk:
    """Looks things up once and remembers them."""

    def __init__(self, tools, today: int, closure: int):
        self.tools = tools
        self.today = today
        self.closure = closure
        self.indexes, self.volumes, self.pages, self.papers = {}, {}, {}, {}

    def index(self, parcel):
        if parcel not in self.indexes:
            self.indexes[parcel] = self.tools.parcel_index(parcel=parcel)
        return self.indexes[parcel]

    def line(self, parcel):
        """The deeds and annulments of a parcel and of what it comes from, by year."""
        index = self.index(parcel)
        if index["divided_from"] is None:
            return index["entries"]
        divided_in = self.index(index["divided_from"])["divided_in"]
        return [each for each in self.line(index["divided_from"]) if each["year"] < divided_in] + index[
            "entries"
        ]

    def annulled(self, paper):
        if paper not in self.papers:
            found = self.tools.read_annulment(paper=paper)
            self.papers[paper] = (found["volume"], found["folio"])
        return self.papers[paper]

    def page(self, place):
        """The page of a deed, or the reason why it cannot be used."""
        if place not in self.pages:
            self.pages[place] = self.open_page(*place)
        return self.pages[place]

    def open_page(self, name, folio):
        if name not in self.volumes:
            self.volumes[name] = self.tools.volume(name=name)
        if self.volumes[name]["lost"]:
            return "lost"
        if self.today - self.volumes[name]["last_year"] < self.closure:
            return "closed"
        page = self.tools.read_deed(volume=name, folio=folio)
        if page["legible"]:
            return page
        try:
            return self.tools.read_copy(copy=page["copy"]) if page["copy"] is not None else "illegible"
        except ValueError:
            return "illegible"

    def owner(self, parcel, year):
        divided_in = self.index(parcel)["divided_in"]
        if divided_in is not None and year >= divided_in:
            return "divided"
        entries = self.line(parcel)
        annulled = [self.annulled(each["paper"]) for each in entries if each["kind"] == "annulment"]
        deeds = [
            (each["year"], (each["volume"], each["folio"])) for each in entries if each["kind"] == "deed"
        ]
        places = [place for _, place in deeds if place not in annulled]
        before = len([place for when, place in deeds if when <= year and place not in annulled])
        if before == 0:
            return "unrecorded"
        page = self.page(places[before - 1])
        if not isinstance(page, str):
            return page["receiver"]
        after = self.page(places[before]) if before < len(places) else ""
        return page if isinstance(after, str) else after["giver"]

    def holdings(self, person, year):
        count = 0
        for parcel in self.tools.name_index(person=person):
            origin = self.index(parcel)["divided_from"]
            if origin is not None and year < self.index(origin)["divided_in"]:
                continue
            found = self.owner(parcel, year)
            if found in REASONS[1:]:
                return found
            count += found == person
        return str(count)


def solve(tools, today, closure):
    clerk = Clerk(tools, today, closure)
    written = {}
    for number in tools.letters():
        letter = tools.read_letter(number=number)
        if letter["kind"] == "owner":
            written[number] = clerk.owner(letter["parcel"], letter["year"])
        else:
            written[number] = clerk.holdings(letter["person"], letter["year"])
    return written


FIRST_NAMES = (
    "Ann Arthur Clara Edwin Ellen George Harriet John Louisa Mary Robert Susan Thomas Walter".split()
)
LAST_NAMES = "Ashby Barlow Coker Dunn Fenwick Gale Hobbs Ingram Lacey Marsh Nye Pike Rudd Tully".split()


def draw_volumes(random, count: int) -> dict[str, dict]:
    volumes, year = {}, 1836
    for place in range(count):
        last = year + random.randint(108 // count - 3, 108 // count + 3)
        volumes["ABCDEFGHIJ"[place]] = {"first_year": year, "last_year": last, "lost": False}
        year = last + 1
    return volumes


def draw_owner(random, people: list[str], other: str) -> str:
    return random.choice([each for each in people if each != other])


def draw_archive(random, difficulty: int, originals: int) -> dict:
    volumes = draw_volumes(random, (4, 5, 6, 8, 9)[difficulty - 1])
    names = list(volumes)
    for name in random.sample(names[1:-2], (1, 1, 1, 2, 2)[difficulty - 1]):
        volumes[name]["lost"] = True
    end = volumes[names[-1]]["last_year"]
    closure = random.randint(70, 90)
    # The last volume is closed, and often the one before.
    today = closure + volumes[names[-2]]["last_year"] - random.choice([3, 1, -1, -3])
    people = random.sample([f"{one} {two}" for one in FIRST_NAMES for two in LAST_NAMES], originals + 2)
    books = ["K1", "K2", "K3"]
    parcels, deeds, annulments, folios = [], [], [], {}
    waiting = [(number, None, 1838, None) for number in random.sample(range(11, 90), originals)]
    numbers = random.sample(range(100, 400), 150)
    numbers.sort(reverse=True)

    def draw_past(parcel, start, owner, until):
        years = sorted(random.sample(range(start + 1, until), min(random.randint(2, 4), until - start - 1)))
        for place, year in enumerate(years):
            giver = owner or random.choice(people)
            receiver = draw_owner(random, people, giver)
            volume = next(name for name in names if year <= volumes[name]["last_year"])
            folios[volume] = folios.get(volume, 0) + random.randint(2, 9)
            legible = random.random() < 0.7
            number = len(deeds)
            copied = difficulty > 1 and not legible and random.random() < 0.7
            deeds.append(
                {
                    "parcel": parcel,
                    "year": year,
                    "volume": volume,
                    "folio": folios[volume],
                    "giver": giver,
                    "receiver": receiver,
                    "legible": legible,
                    "copy": f"{random.choice(books)}/{2 * number + 3}" if copied else None,
                }
            )
            before = years[place + 1] if place + 1 < len(years) else until
            if random.random() < 0.2 and before - year > 2:
                annulments.append(
                    {
                        "parcel": parcel,
                        "year": random.randint(year + 1, before - 1),
                        "paper": f"C{len(annulments) + 1}",
                        "volume": volume,
                        "folio": folios[volume],
                    }
                )
                owner = giver
            else:
                owner = receiver
        return owner

    while waiting:
        number, origin, since, owner = waiting.pop(0)
        parcels.append({"number": number, "divided_from": origin, "since": since if origin else None})
        divides = difficulty > 1 and since < (1880 if difficulty == 5 else 1850) and random.random() < 0.45
        until = random.randint(since + 20, since + 45) if divides else end
        owner = draw_past(number, since, owner, until)
        if divides:
            waiting += [(numbers.pop(), number, until, owner) for _ in range(2)]
    spoil_neighbours(random, deeds, annulments)
    return {
        "today": today,
        "closure": closure,
        "letters": {},
        "parcels": sorted(parcels, key=lambda each: each["number"]),
        "volumes": volumes,
        "lost_copy_books": [random.choice(books)] if difficulty > 2 else [],
        "deeds": sorted(deeds, key=lambda each: (each["volume"], each["folio"])),
        "annulments": annulments,
    }


def spoil_neighbours(random, deeds: list[dict], annulments: list[dict]) -> None:
    """Make two deeds in a row illegible in some parcels, so that only a later one could be read."""
    annulled = [(each["volume"], each["folio"]) for each in annulments]
    numbers = sorted({deed["parcel"] for deed in deeds})
    for parcel in random.sample(numbers, len(numbers) // 4):
        own = [deed for deed in deeds if deed["parcel"] == parcel]
        valid = [deed for deed in own if (deed["volume"], deed["folio"]) not in annulled]
        for deed in valid[-3:-1]:
            deed.update(legible=False, copy=None)


def draw_holdings(random, config: dict, count: int) -> list[dict]:
    """Letters on how much somebody owned, for one of which it matters when a parcel existed."""
    if count == 0:
        return []
    divided = [each["divided_from"] for each in config["parcels"] if each["divided_from"] is not None]
    asked = [(deed["receiver"], deed["year"]) for deed in config["deeds"] if deed["parcel"] in divided]
    random.shuffle(asked)
    letters = []
    for person, year in asked:
        letter = {"kind": "holdings", "parcel": None, "person": person, "year": year + random.randint(0, 3)}
        alone = {**config, "letters": {"": letter}}
        if answers(alone, "")[""] not in (*REASONS, answers(alone, ON_HOLDINGS[0])[""]):
            letters.append(letter)
            break
    people = sorted({deed["receiver"] for deed in config["deeds"]} - {each["person"] for each in letters})
    for person in random.sample(people, len(people)):
        if len(letters) < count and 3 <= len(named_parcels(config, person)) <= 8:
            year = random.randint(1855, 1900)
            letters.append({"kind": "holdings", "parcel": None, "person": person, "year": year})
    return letters


def draw_letters(random, config: dict, difficulty: int) -> list[dict]:
    """Letters of which, for each rule, at least one is answered wrongly by whoever forgets it."""
    count = (4, 7, 9, 13, 17)[difficulty - 1]
    chosen = draw_holdings(random, config, (0, 0, 0, 2, 3)[difficulty - 1])
    pool = []
    for parcel in config["parcels"]:
        marks = [each["year"] for each in config["deeds"] if each["parcel"] == parcel["number"]]
        marks += [each["since"] for each in config["parcels"] if each["divided_from"] == parcel["number"]]
        for year in marks:
            moved = random.choice([0, 0, random.randint(1, 6), -random.randint(1, 6)])
            pool.append({"kind": "owner", "parcel": parcel["number"], "person": None, "year": year + moved})
    random.shuffle(pool)
    truths = [owner(config, letter["parcel"], letter["year"], "") for letter in pool]
    divided = [letter for letter, truth in zip(pool, truths) if truth == "divided"]
    chosen += divided[: random.choice([0, 1, 1, 2, 2])]
    pool = [(letter, truth) for letter, truth in zip(pool, truths) if truth != "divided"]
    rules = [*MISTAKES, "the past of a part is left out"]
    for name in random.sample(rules, len(rules)):
        asked = [letter for letter in chosen if letter["kind"] == "owner"]
        for letter in [*asked, *(letter for letter, _ in pool)]:
            right, wrong = (owner(config, letter["parcel"], letter["year"], each) for each in ("", name))
            if right != wrong:
                chosen += [letter] if letter not in chosen else []
                break
    rest = [letter for letter, truth in pool if truth not in REASONS] + [letter for letter, _ in pool]
    for letter in rest:
        if letter not in chosen and len(chosen) < count:
            chosen.append(letter)
    chosen = chosen[:count]
    random.shuffle(chosen)
    return chosen


def generate(random, difficulty: int) -> Config:
    while True:
        config = draw_archive(random, difficulty, (4, 6, 9, 14, 18)[difficulty - 1])
        letters = draw_letters(random, config, difficulty)
        config["letters"] = {f"L{place}": letter for place, letter in enumerate(letters, 1)}
        right = reference(config)
        told = [each for each in right.values() if each not in REASONS]
        # In some tasks nobody asks about a divided parcel.
        needless = [] if "divided" in right.values() else ["a divided parcel lives on"]
        wrong = [each for name, each in mistakes(config).items() if name not in needless]
        rules = 11 if difficulty > 3 else 10
        rules_matter = difficulty == 1 or (right not in wrong and len(mistakes(config)) >= rules)
        if rules_matter and len(told) * 3 >= len(letters) and len(told) < len(letters):
            return config
