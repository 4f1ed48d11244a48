"""A forwarding agent has {consignments} consignments to declare and needs to know the duty on each of them.
The tariff is a loose-leaf book of {pages} pages, in no order, that has been amended many times. It is kept by
the customs library. You may search its index freely, but the library copies at most {copies} different
pages for you, and you can only read a page that it copies.

How the book works:
- The page of a heading names its goods and its duty. Goods belong to the heading whose page names them.
- A note may move goods with a certain property from one heading to another one. A further note may move
  them on from there.
- An amendment may set the duty of a heading anew. It is in force for consignments that arrive on its day or
  later. If several are in force for a heading, the one with the latest day counts, whatever its number. If
  none is, the duty on the page of the heading counts.
- An amendment may repeal another one. For consignments that arrive on the day of the repeal or later, the
  repealed one does not count.
- An amendment may correct the day of another one. Then only the corrected day counts.
- Only amendments that set a duty are ever repealed or corrected. Notes, repeals and corrections stay.
- Where a duty has two parts, one by value and one by weight, the higher one is due.
- An agreement with a country lowers the duty on goods of that country in one chapter. The chapter is the
  first two digits of the heading. It applies to consignments that arrive on its last day or earlier.
- A quota makes goods of a heading free of duty up to a weight. Your consignments of that heading use it up
  in the order of their arrival. One that is heavier than what is left uses nothing of it and is charged as if
  there were no quota, so that an agreement still applies to it. A later one that fits is free.
- A duty is rounded down to whole cents, once, after everything else.

Answer with an object that gives the duty in cents for each consignment. For example: {{"L1": 1250, "L2": 0}}
"""

from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, TypedDict

META = {
    "title": "Tariff office",
    "tags": ["documents", "search"],
    "public": ["consignments", "pages", "copies"],
    "license": "MIT",
    "source": "original",
}

PAGE = 4


class Consignment(TypedDict):
    number: str
    goods: str
    property: str
    country: str
    value: int
    kilograms: int
    arrival: str


class Heading(TypedDict):
    number: str
    goods: str
    percent: int
    cents_per_kilogram: int


class Note(TypedDict):
    heading: str
    property: str
    moves_to: str


class Amendment(TypedDict):
    number: int
    day: str
    kind: Literal["duty", "repeal", "correction"]
    heading: str
    percent: int
    cents_per_kilogram: int
    other: int


class Agreement(TypedDict):
    country: str
    chapter: str
    percent_off: int
    last_day: str


class Quota(TypedDict):
    heading: str
    kilograms: int


class Config(TypedDict):
    consignments: int
    pages: int
    copies: int
    shipped: list[Consignment]
    headings: list[Heading]
    notes: list[Note]
    amendments: list[Amendment]
    agreements: list[Agreement]
    quotas: list[Quota]
    order: list[int]


class Page(TypedDict):
    title: str
    index: str
    text: str


class Hit(TypedDict):
    page: int
    title: str


class Hits(TypedDict):
    pages: list[Hit]
    next_cursor: int | None


class Environment:
    def __init__(self, config: Config):
        self.shipped = {each["number"]: each for each in config["shipped"]}
        pages = book_pages(config)
        self.book = [pages[place] for place in config["order"]]
        self.copies = config["copies"]
        self.copied = []

    def list_consignments(self) -> list[str]:
        """List the numbers of the consignments."""
        return list(self.shipped)

    def read_consignment(self, consignment: str) -> Consignment:
        """Read the papers of a consignment; its value is in cents.

        Args:
            consignment: number of the consignment.
        """
        if consignment not in self.shipped:
            raise ValueError("there is no such consignment")
        return self.shipped[consignment]

    def search(self, words: str, cursor: int) -> Hits:
        """Look words up in the index of the book, which costs no copy; the pages come a few at a time.

        A page is found if each word is in its title or is one of the goods, headings, chapters, amendments
        or countries that it names. What else a page says, such as days, duties and properties, is not in
        the index. Only whole words and numbers are found.

        Args:
            words: words or numbers, up to 80 characters, separated by spaces; such as copper wire, 5510,
                amendment 17, or agreement Borland 55.
            cursor: 0 for the first pages, then the next cursor.
        """
        wanted = words_in(words)
        if not wanted or len(words) > 80:
            raise ValueError("give between one word and 80 characters")
        return hits(found_pages(self.book, wanted), cursor)

    def read_page(self, page: int) -> str:
        """Read a page of the book. Reading the same page again needs no further copy. Days are written as
        2026-05-15.

        Args:
            page: number of the page, from 1.
        """
        if not 1 <= page <= len(self.book):
            raise ValueError(f"page must be between 1 and {len(self.book)}")
        if page not in self.copied:
            if len(self.copied) == self.copies:
                raise ValueError("the library copies no more pages for you")
            self.copied.append(page)
        return f"{self.book[page - 1]['title']}. {self.book[page - 1]['text']}"


def words_in(text):
    return "".join(letter if letter.isalnum() or letter == "-" else " " for letter in text.lower()).split()


def found_pages(book, wanted):
    """The numbers and titles of the pages with all these words in title or index."""
    return [
        {"page": number, "title": page["title"]}
        for number, page in enumerate(book, 1)
        if set(wanted).issubset(words_in(f"{page['title']} {page['index']}"))
    ]


def hits(found, cursor):
    if not 0 <= cursor <= len(found):
        raise ValueError("cursor must be 0 or a next cursor")
    more = cursor + PAGE < len(found)
    return {"pages": found[cursor : cursor + PAGE], "next_cursor": cursor + PAGE if more else None}


def duty_text(entry):
    parts = []
    if entry["percent"]:
        parts.append(f"{entry['percent']} per cent of the value")
    if entry["cents_per_kilogram"]:
        parts.append(f"{entry['cents_per_kilogram']} cents per kilogram")
    return ", or ".join(parts) or "free"


def book_pages(config) -> list[Page]:
    """The pages, sorted by what they are about."""
    pages = []

    def add(title, index, text):
        pages.append({"title": title, "index": index, "text": text})

    for each in config["headings"]:
        text = f"Goods: {each['goods']}. Duty: {duty_text(each)}."
        add(f"Heading {each['number']}", each["goods"], text)
    for place, note in enumerate(config["notes"], 1):
        text = f"Goods of heading {note['heading']} that are {note['property']} belong to {note['moves_to']}."
        add(f"Note {place}", f"{note['heading']} {note['moves_to']}", text)
    for each in config["amendments"]:
        index = str(each["other"])
        if each["kind"] == "duty":
            index = each["heading"]
            text = f"From {each['day']} on, the duty in {each['heading']} is: {duty_text(each)}."
        elif each["kind"] == "repeal":
            text = f"From {each['day']} on, amendment {each['other']} is repealed."
        else:
            text = f"The day of amendment {each['other']} is corrected to {each['day']}."
        add(f"Amendment {each['number']}", index, text)
    for each in config["agreements"]:
        text = f"Duty in chapter {each['chapter']} is {each['percent_off']} per cent lower for goods of "
        text += f"{each['country']}, until {each['last_day']}."
        add(f"Agreement with {each['country']}", each["chapter"], text)
    for place, each in enumerate(config["quotas"], 1):
        text = f"Goods of heading {each['heading']} are free of duty up to {each['kilograms']} kilograms."
        add(f"Quota {place}", each["heading"], text)
    return pages


def pages_about(config):
    """How many pages the index gives for what has to do with the consignments."""
    book = book_pages(config)
    queries = []
    for each in config["shipped"]:
        headings = [next(entry["number"] for entry in config["headings"] if entry["goods"] == each["goods"])]
        for note in config["notes"] * len(config["notes"]):
            if (note["heading"], note["property"]) == (headings[-1], each["property"]):
                headings.append(note["moves_to"])
        queries += [each["goods"], *headings, f"agreement {each['country']} {headings[-1][:2]}"]
        final = [entry for entry in config["amendments"] if entry["heading"] == headings[-1]]
        queries += [f"amendment {entry['number']}" for entry in final]
    return len({hit["page"] for query in queries for hit in found_pages(book, words_in(query))})


QUOTA_RULES = (
    "ignores quotas",
    "uses quotas in the order of the list",
    "lets heavy consignments use up quotas",
    "ignores agreements beyond quotas",
)


def heading_of(config, shipped, forget=""):
    number = next(each["number"] for each in config["headings"] if each["goods"] == shipped["goods"])
    for step in config["notes"] if forget != "ignores notes" else []:
        for note in config["notes"]:
            if (note["heading"], note["property"]) == (number, shipped["property"]):
                number = note["moves_to"]
                break
        if forget == "follows only one note":
            break
    return next(each for each in config["headings"] if each["number"] == number)


def rate_for(config, shipped, heading, forget):
    """The entry of the book, heading or amendment, that gives the duty."""
    arrival, valid = shipped["arrival"], []
    for each in config["amendments"] if forget != "ignores amendments" else []:
        if each["kind"] != "duty" or each["heading"] != heading["number"]:
            continue
        about = [other for other in config["amendments"] if other["other"] == each["number"]]
        corrected = [other["day"] for other in about if other["kind"] == "correction"]
        day = corrected[0] if corrected and forget != "ignores corrected days" else each["day"]
        repealed = any(other["kind"] == "repeal" and other["day"] <= arrival for other in about)
        if repealed and forget != "ignores repeals":
            continue
        if day <= arrival or forget == "applies amendments too early":
            valid.append(
                (each["number"] if forget == "takes the highest number" else day, each["number"], each)
            )
    return max(valid, key=lambda entry: entry[:2])[2] if valid else heading


def duties(config: Config, forget: str = "") -> dict[str, int]:
    """The duty on each consignment; with one rule forgotten, if it is named."""
    left = {each["heading"]: each["kilograms"] for each in config["quotas"]}
    shipped = config["shipped"]
    if forget != "uses quotas in the order of the list":
        shipped = sorted(shipped, key=lambda each: each["arrival"])
    found = {}
    for each in shipped:
        heading = heading_of(config, each, forget)
        rate = rate_for(config, each, heading, forget)
        by_value = each["value"] * rate["percent"]
        by_weight = 100 * each["kilograms"] * rate["cents_per_kilogram"]
        due = max(by_value, by_weight)
        if forget == "takes the part by value" and by_value:
            due = by_value
        percent = 100
        for deal in config["agreements"] if forget != "ignores agreements" else []:
            over = each["arrival"] > deal["last_day"] and forget != "ignores the end of agreements"
            if (
                deal["country"] == each["country"]
                and heading["number"].startswith(deal["chapter"])
                and not over
            ):
                percent -= deal["percent_off"]
        free = each["kilograms"] <= left.get(heading["number"], 0) and forget != "ignores quotas"
        if free:
            left[heading["number"]] -= each["kilograms"]
        elif heading["number"] in left and forget == "lets heavy consignments use up quotas":
            left[heading["number"]] = 0
        elif heading["number"] in left and forget == "ignores agreements beyond quotas":
            percent = 100
        found[each["number"]] = 0 if free else due * percent // 10000
    return found


def reference(config: Config) -> dict[str, int]:
    return duties(config)


def mistakes(config: Config) -> dict[str, dict[str, int]]:
    kinds = {each["kind"] for each in config["amendments"]}
    rules = [
        "ignores notes",
        "ignores amendments",
        "takes the highest number",
        "applies amendments too early",
    ]
    rules += ["takes the part by value"]
    rules += ["ignores repeals"] if "repeal" in kinds else []
    rules += ["ignores agreements", "ignores the end of agreements"] if config["agreements"] else []
    rules += ["ignores corrected days", "follows only one note"] if "correction" in kinds else []
    rules += QUOTA_RULES if config["quotas"] else []
    return {rule: duties(config, rule) for rule in rules}


def solve(tools, consignments, pages, copies):
    read = {}

    def look_for(words):
        """Title and text of the pages with these words."""
        found, cursor = [], 0
        while cursor is not None:
            answer = tools.search(words=words, cursor=cursor)
            for hit in answer["pages"]:
                if hit["page"] not in read:
                    read[hit["page"]] = tools.read_page(page=hit["page"]).split(". ", 1)
                found.append(read[hit["page"]])
            cursor = answer["next_cursor"]
        return found

    def parts(text):
        """Per cent of the value and cents per kilogram."""
        words = text.replace(",", " ").split()
        places = {
            unit: words.index(unit) - back for unit, back in (("cent", 2), ("cents", 1)) if unit in words
        }
        return [int(words[places[unit]]) if unit in places else 0 for unit in ("cent", "cents")]

    papers = [tools.read_consignment(consignment=number) for number in tools.list_consignments()]
    left, answer = {}, {}
    for paper in sorted(papers, key=lambda each: each["arrival"]):
        arrival, goods = paper["arrival"], paper["goods"]
        title = next(title for title, text in look_for(goods) if f"Goods: {goods}." in text)
        heading = title.split()[-1]
        moved = True
        while moved:
            about = look_for(heading)
            moved = False
            for title, text in about:
                if title.startswith("Note") and f"of heading {heading} that are {paper['property']} " in text:
                    heading, moved = text.strip(".").split()[-1], True
                    break
        valid = []
        for title, text in about:
            if title == f"Heading {heading}":
                valid.append(("", parts(text.split("Duty: ")[1])))
            elif title.startswith("Quota"):
                left.setdefault(heading, int(text.split()[-2]))
            elif title.startswith("Amendment") and f"in {heading} is" in text:
                day = text.split()[1]
                for other, change in look_for(title):
                    if other != title and "corrected" in change:
                        day = change.strip(".").split()[-1]
                    elif other != title and "repealed" in change and change.split()[1] <= arrival:
                        day = "9999"
                if day <= arrival:
                    valid.append((day, parts(text.split("is: ")[1])))
        percent, cents = max(valid)[1]
        due = max(paper["value"] * percent, 100 * paper["kilograms"] * cents)
        lower = 100
        for title, text in look_for(f"agreement {paper['country']} {heading[:2]}"):
            if f"chapter {heading[:2]} " in text and arrival <= text.strip(".").split()[-1]:
                lower -= int(text.split(" per cent")[0].split()[-1])
        if paper["kilograms"] <= left.get(heading, 0):
            left[heading] -= paper["kilograms"]
            due = 0
        answer[paper["number"]] = due * lower // 10000
    return answer


GOODS = (
    "almonds,anchors,baskets,bells,bricks,brooms,buttons,candles,carpets,casks,chairs,chimneys,clocks,combs,"
    "copper wire,cork,drums,felt,fishing nets,flutes,glass beads,gloves,hammers,hats,honey,kettles,knives,"
    "ladders,lamps,lanterns,leather,linen,locks,marble,mats,mirrors,needles,oars,paper,pipes,plums,ropes,"
    "saddles,salt,scales,shovels,slate,soap,spoons,starch,tar,tents,tiles,toys,trays,umbrellas,vases,violins,"
    "whistles,wool yarn"
).split(",")
PROPERTIES = "dyed,enamelled,gilded,hand-made,painted,second-hand".split(",")
COUNTRIES = "Arvelia,Borland,Castria,Dorvain,Estmark,Fenland".split(",")


class Draft:
    """The chapters that have been drawn for a task so far."""

    def __init__(self, random, difficulty):
        self.random = random
        self.difficulty = difficulty
        self.goods = random.sample(GOODS, len(GOODS))
        self.chapters = random.sample(range(11, 98), 60)
        self.numbers = random.sample(range(1, 400), 200)
        self.start = date(2026, 1, 1) + timedelta(days=random.randint(0, 90))

    def day(self, low, high):
        return (self.start + timedelta(days=self.random.randint(low, high))).isoformat()

    def duty(self):
        kind = self.random.choice(["value", "weight", "both", "both"])
        percent = self.random.randint(2, 30) if kind != "weight" else 0
        return {
            "percent": percent,
            "cents_per_kilogram": self.random.randint(20, 300) if kind != "value" else 0,
        }

    def amendment(self, kind, day, heading="", other=0):
        duty = self.duty() if kind == "duty" else {"percent": 0, "cents_per_kilogram": 0}
        number = self.numbers.pop()
        return {"number": number, "day": day, "kind": kind, "heading": heading, "other": other, **duty}

    def chapter(self, lines, with_quota):
        """A chapter of the tariff, with the consignments that fall into it."""
        random, chapter = self.random, str(self.chapters.pop())
        size = 3 if self.difficulty > 3 else 2
        headings = [
            {"number": f"{chapter}{place:02d}", "goods": self.goods.pop(), **self.duty()}
            for place in sorted(random.sample(range(1, 40), size))
        ]
        property = random.choice(PROPERTIES)
        order = random.sample(headings, size)
        notes = [
            {"heading": one["number"], "property": property, "moves_to": other["number"]}
            for one, other in pairwise(order)
        ]
        notes = notes if random.random() < 0.85 else []
        amendments = []
        for heading in headings:
            for time in range(random.randint(1, 3) if heading is order[-1] else random.randint(0, 1)):
                amendments.append(self.amendment("duty", self.day(0, 120), heading["number"]))
        for each in list(amendments):
            if self.difficulty > 1 and random.random() < 0.25:
                amendments.append(self.amendment("repeal", self.day(20, 120), other=each["number"]))
            elif self.difficulty > 3 and random.random() < 0.3:
                amendments.append(self.amendment("correction", self.day(0, 120), other=each["number"]))
        agreements = []
        if self.difficulty > 1 and random.random() < 0.85:
            deal = {"country": random.choice(COUNTRIES), "chapter": chapter}
            agreements.append(
                {**deal, "percent_off": 5 * random.randint(2, 12), "last_day": self.day(30, 90)}
            )
        first = random.choice(order[:2])
        shipped = [
            {
                "number": f"L{line}",
                "goods": first["goods"],
                "property": property if random.random() < 0.8 else random.choice(PROPERTIES),
                "country": agreements[0]["country"] if agreements else random.choice(COUNTRIES),
                "value": random.randint(20000, 900000),
                "kilograms": random.randint(20, 900),
                "arrival": self.day(20, 110),
            }
            for line in range(lines)
        ]
        quotas = []
        if with_quota:
            for each in shipped:
                each["property"] = shipped[0]["property"]
            heading = heading_of({"headings": headings, "notes": notes}, shipped[0])["number"]
            # The second one to arrive is too heavy for what the first one leaves; the third one fits.
            first, second, third = sorted(shipped, key=lambda each: each["arrival"])
            second["kilograms"] = first["kilograms"] + third["kilograms"] + random.randint(10, 300)
            spare = random.randint(0, second["kilograms"] - third["kilograms"] - 1)
            quotas.append({"heading": heading, "kilograms": first["kilograms"] + third["kilograms"] + spare})
        return {
            "shipped": shipped,
            "headings": headings,
            "notes": notes,
            "amendments": amendments,
            "agreements": agreements,
            "quotas": quotas,
        }


RULES_FROM = (
    (1, "ignores notes", "ignores amendments", "takes the highest number", "applies amendments too early"),
    (2, "takes the part by value", "ignores repeals", "ignores agreements", "ignores the end of agreements"),
    (4, "ignores corrected days", "follows only one note"),
    (5, *QUOTA_RULES),
)
PARTS = ("shipped", "headings", "notes", "amendments", "agreements", "quotas")


def generate(random, difficulty: int) -> Config:
    groups = ([1] * 2, [1] * 3, [1] * 5, [1] * 6, [1] * 6 + [3])[difficulty - 1]
    pages = (24, 36, 60, 90, 120)[difficulty - 1]
    while True:
        draft = Draft(random, difficulty)
        missing = {rule for start, *rules in RULES_FROM for rule in rules if start <= difficulty}
        chapters = []
        for lines in groups:
            for attempt in range(60):
                spare = (list(draft.goods), list(draft.chapters), list(draft.numbers))
                chapter = draft.chapter(lines, lines > 1)
                right = duties(chapter)
                shown = {rule for rule, wrong in mistakes(chapter).items() if wrong != right}
                arrivals = {each["arrival"] for each in chapter["shipped"]}
                wanted = {rule for rule in missing if (rule in QUOTA_RULES) == (lines > 1)}
                # Each chapter makes another rule matter, until all of them do.
                if len(arrivals) == lines and (
                    not wanted or (shown >= wanted if lines > 1 else shown & wanted)
                ):
                    missing -= shown
                    chapters.append(chapter)
                    break
                draft.goods, draft.chapters, draft.numbers = spare
        if len(chapters) < len(groups):
            continue
        config = {"consignments": sum(groups), "pages": pages, "copies": pages}
        config.update({part: [each for chapter in chapters for each in chapter[part]] for part in PARTS})
        numbers = random.sample(range(1, 100), sum(groups))
        for number, each in zip(sorted(numbers), config["shipped"]):
            each["number"] = f"L{number}"
        while len(book_pages(config)) < pages:
            heading = {"number": f"{draft.chapters.pop()}01", "goods": draft.goods.pop(), **draft.duty()}
            config["headings"].append(heading)
            for time in range(random.randint(0, 3)):
                config["amendments"].append(draft.amendment("duty", draft.day(0, 120), heading["number"]))
        kinds = [page["title"].split()[0] for page in book_pages(config)]
        config.update({"pages": len(kinds), "copies": pages_about(config) + 2})
        config["order"] = random.sample(range(len(kinds)), len(kinds))
        right = duties(config)
        wrong = mistakes(config)
        harmless = [rule for rule in wrong if wrong[rule] == right]
        corrected = {e["other"]: e["day"] for e in config["amendments"] if e["kind"] == "correction"}
        days = [
            (each["heading"], corrected.get(each["number"], each["day"]))
            for each in config["amendments"]
            if each["kind"] == "duty"
        ]
        if missing and difficulty > 1:
            continue
        if config["copies"] >= len(kinds) - kinds.count("Heading"):
            continue  # Copying everything but the headings would need no search.
        if len(set(days)) == len(days) and len(harmless) <= (1 if difficulty == 1 else 0):
            return config
