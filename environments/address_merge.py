"""The customer register of a water company names a property for every customer. {reviewed} of its entries are
under review, because records from several sources contradict each other. Put these entries right, and leave
all others as they are.

An entry lists its records. A record gives an address as its source wrote it; the gazetteer tells which
property an address belongs to. Different spellings may belong to the same property.

Which property is right:
- A record that its source has withdrawn does not count, nor does one whose address the gazetteer does not
  know.
- A record that was copied from another one has the source and the date of that other one. If that one is a
  copy as well, go on to where it was copied from, up to the original. The address is the copy's own. A copy
  is withdrawn if the source named in it has withdrawn the copy's own number, or if any record on the way to
  the original, or the original itself, is withdrawn.
- A record is out of date, and does not count, if it is more than {days} days older than the newest record
  of the same customer among those not excluded by the two rules above.
- Of the records that count, only those of the highest authority decide; level 1 is the highest. A source's
  level may have changed over time: the level on the date of the record counts.
- Of the records that decide, the latest one gives the property. If several have the latest date and belong
  to different properties, or if there is no record that counts, the entry is undecidable.
- If a customer was entered twice, one entry refers to the other. Both entries of such a customer are under
  review. The records of both are then those of one customer, and both entries get the same result.

Set the property of each entry under review, or mark it as undecidable. Nothing has to be reported.
"""

from datetime import date, timedelta
from typing import TypedDict

META = {
    "title": "Address merge",
    "tags": ["data quality", "precedence"],
    "public": ["reviewed", "days"],
    "license": "MIT",
    "source": "original",
}

PAGE = 6


class Level(TypedDict):
    since: str
    level: int


class Source(TypedDict):
    name: str
    levels: list[Level]
    removed: list[str]


class Record(TypedDict):
    number: str
    entry: str
    source: str
    dated: str
    address: str
    copied_from: str
    withdrawn: bool


class Entry(TypedDict):
    number: str
    under_review: bool
    property: str
    same_as: str


class Config(TypedDict):
    reviewed: int
    days: int
    sources: list[Source]
    entries: list[Entry]
    records: list[Record]
    gazetteer: dict[str, str]


class Listed(TypedDict):
    entry: str
    under_review: bool


class Page(TypedDict):
    entries: list[Listed]
    next_cursor: int | None


class EntryView(TypedDict):
    entry: str
    property: str
    same_as: str | None
    records: list[str]


class RecordView(TypedDict):
    record: str
    source: str
    dated: str
    address: str
    copied_from: str | None


class Withdrawals(TypedDict):
    records: list[str]
    next_cursor: int | None


class State(TypedDict):
    register: dict[str, str]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.entries = {entry["number"]: entry for entry in config["entries"]}
        self.records = {record["number"]: record for record in config["records"]}
        self.register = {entry["number"]: entry["property"] for entry in config["entries"]}

    def list_entries(self, cursor: int) -> Page:
        """List the entries of the register, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        numbers = sorted(self.entries)
        listed = [
            {"entry": number, "under_review": self.entries[number]["under_review"]}
            for number in numbers[page(cursor, numbers)]
        ]
        return {"entries": listed, "next_cursor": following(cursor, numbers)}

    def read_entry(self, entry: str) -> EntryView:
        """Read an entry: its property now, the entry that it refers to, and the numbers of its records.

        Args:
            entry: number of the entry.
        """
        found = known(self.entries, entry, "entry")
        return {
            "entry": entry,
            "property": self.register[entry],
            "same_as": found["same_as"] or None,
            "records": sorted(n for n in self.records if self.records[n]["entry"] == entry),
        }

    def read_record(self, record: str) -> RecordView:
        """Read a record.

        Args:
            record: number of the record.
        """
        found = known(self.records, record, "record")
        return {
            "record": record,
            "source": found["source"],
            "dated": found["dated"],
            "address": found["address"],
            "copied_from": found["copied_from"] or None,
        }

    def read_source(self, source: str) -> list[Level]:
        """Read the levels of authority that a source has had, each with the first day on which it applied.

        Args:
            source: name of the source.
        """
        return known({each["name"]: each for each in self.config["sources"]}, source, "source")["levels"]

    def list_withdrawn(self, source: str, cursor: int) -> Withdrawals:
        """List the records that a source has withdrawn, a page at a time; some are no longer in the register.

        Args:
            source: name of the source.
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        known({each["name"]: each for each in self.config["sources"]}, source, "source")
        gone = withdrawn_by(self.config, source)
        return {"records": gone[page(cursor, gone)], "next_cursor": following(cursor, gone)}

    def find_property(self, address: str) -> str | None:
        """Look an address up in the gazetteer; returns its property, or null if it is not known.

        Args:
            address: the address, exactly as in the record.
        """
        return self.config["gazetteer"].get(address)

    def set_property(self, entry: str, property: str) -> int:
        """Set the property of an entry; returns how many entries have that property now.

        Args:
            entry: number of the entry.
            property: number of the property.
        """
        known(self.entries, entry, "entry")
        if property not in self.config["gazetteer"].values():
            raise ValueError("there is no such property")
        self.register[entry] = property
        return list(self.register.values()).count(property)

    def mark_undecidable(self, entry: str) -> int:
        """Mark an entry as undecidable in place of a property; returns how many entries are so marked now.

        Args:
            entry: number of the entry.
        """
        known(self.entries, entry, "entry")
        self.register[entry] = "undecidable"
        return list(self.register.values()).count("undecidable")

    def final_state(self) -> State:
        return {"register": self.register}


def known(entries, key, kind):
    if key not in entries:
        raise ValueError(f"there is no such {kind}")
    return entries[key]


def page(cursor, entries):
    if not 0 <= cursor <= len(entries) or cursor % PAGE:
        raise ValueError("cursor must be 0 or the next cursor of a page")
    return slice(cursor, cursor + PAGE)


def following(cursor, entries):
    return cursor + PAGE if cursor + PAGE < len(entries) else None


def withdrawn_by(config, source):
    """The numbers of the records that a source has withdrawn, those no longer in the register included."""
    removed = next(each["removed"] for each in config["sources"] if each["name"] == source)
    own = [each["number"] for each in config["records"] if each["withdrawn"] and each["source"] == source]
    return sorted(removed + own)


BASIC = [
    "counts withdrawn records",
    "counts records that are out of date",
    "takes the latest record of any source",
    "takes any record of the highest authority",
    "takes the level of today",
    "compares spellings",
    "decides what is undecidable",
]
LIMIT = ["counts records one day out of date", "drops records exactly as old as is allowed"]
PAGES = ["reads the first page of withdrawals only"]
COPIES = [
    "counts copies as records of their own",
    "follows a copy one step only",
    "looks up a copy's own number only",
    "looks up the original's number only",
    "takes the address of the original",
]
TWICE = ["keeps double entries apart"]


def rules_for(difficulty):
    """The rules that have to matter in a task of a difficulty."""
    rules = BASIC + (LIMIT if difficulty > 1 else []) + (PAGES if difficulty > 2 else [])
    return rules + (COPIES + TWICE if difficulty > 3 else [])


def level_on(config, source, day):
    levels = next(each["levels"] for each in config["sources"] if each["name"] == source)
    return [each["level"] for each in levels if each["since"] <= day][-1]


def decide(config, records, forget=""):
    """The property that the records of one customer lead to, or "undecidable"."""
    by_number = {record["number"]: record for record in config["records"]}
    seen = [record["number"] for record in config["records"] if record["withdrawn"]]
    if forget == "reads the first page of withdrawals only":
        seen = [n for each in config["sources"] for n in withdrawn_by(config, each["name"])[:PAGE]]
    found = []
    for record in records:
        chain = [record]
        while chain[-1]["copied_from"] and forget != "counts copies as records of their own":
            chain.append(by_number[chain[-1]["copied_from"]])
            if forget == "follows a copy one step only":
                break
        origin = chain[-1]
        if forget == "looks up a copy's own number only":
            gone = record["number"] in seen
        elif forget == "looks up the original's number only":
            gone = origin["number"] in seen
        else:
            gone = any(each["number"] in seen for each in chain)
        address = (origin if forget == "takes the address of the original" else record)["address"]
        where = config["gazetteer"].get(address)
        if where is not None and (not gone or forget == "counts withdrawn records"):
            day = origin["dated"]
            on = "9999-12-31" if forget == "takes the level of today" else day
            spelled = address if forget == "compares spellings" else where
            found.append((level_on(config, origin["source"], on), day, spelled, where))
    if not found:
        return "undecidable"
    if forget != "counts records that are out of date":
        newest = date.fromisoformat(max(each[1] for each in found))
        moved = {"counts records one day out of date": 1, "drops records exactly as old as is allowed": -1}
        oldest = (newest - timedelta(days=config["days"] + moved.get(forget, 0))).isoformat()
        found = [each for each in found if each[1] >= oldest]
    if forget != "takes the latest record of any source":
        found = [each for each in found if each[0] == min(each[0] for each in found)]
    if forget != "takes any record of the highest authority":
        found = [each for each in found if each[1] == max(each[1] for each in found)]
    if len({each[2] for each in found}) == 1 or forget == "decides what is undecidable":
        return found[0][3]
    return "undecidable"


def group_of(config, number, forget=""):
    """The numbers of the entries of the same customer."""
    if forget == "keeps double entries apart":
        return [number]
    links = [(entry["number"], entry["same_as"]) for entry in config["entries"] if entry["same_as"]]
    return sorted({number} | {one for pair in links if number in pair for one in pair})


def expected(config: Config, forget: str = "") -> State:
    register = {}
    for entry in config["entries"]:
        number = entry["number"]
        register[number] = entry["property"]
        if entry["under_review"]:
            group = group_of(config, number, forget)
            records = [record for record in config["records"] if record["entry"] in group]
            register[number] = decide(config, records, forget)
    return {"register": register}


def unchanged(config):
    return {entry["number"]: entry["property"] for entry in config["entries"]}


def accepts(state: State, config: Config) -> bool:
    return state == expected(config)


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    rules = [*BASIC, *LIMIT]
    if any(len(withdrawn_by(config, source["name"])) > PAGE for source in config["sources"]):
        rules += PAGES
    if any(record["copied_from"] for record in config["records"]):
        rules += COPIES
    if any(entry["same_as"] for entry in config["entries"]):
        rules += TWICE
    found = {rule: {"state": expected(config, rule)} for rule in rules}
    found["changes nothing"] = {"state": {"register": unchanged(config)}}
    return found


def solve(tools, reviewed, days):
    entries, cursor = [], 0
    while cursor is not None:
        found = tools.list_entries(cursor=cursor)
        entries += [each["entry"] for each in found["entries"] if each["under_review"]]
        cursor = found["next_cursor"]
    records, levels, withdrawn, places = {}, {}, {}, {}

    def record_of(number):
        if number not in records:
            record = records[number] = tools.read_record(record=number)
            source = record["source"]
            if source not in levels:
                levels[source] = tools.read_source(source=source)
                withdrawn[source], cursor = [], 0
                while cursor is not None:
                    gone = tools.list_withdrawn(source=source, cursor=cursor)
                    withdrawn[source] += gone["records"]
                    cursor = gone["next_cursor"]
        return records[number]

    def facts(number):
        """Level, date and property of a record, or None if it does not count whatever the others say."""
        record = record_of(number)
        origin, chain = record, [record]
        while origin["copied_from"] is not None:
            origin = record_of(origin["copied_from"])
            chain.append(origin)
        if any(each["record"] in withdrawn[each["source"]] for each in chain):
            return None
        address = record["address"]
        if address not in places:
            places[address] = tools.find_property(address=address)
        if places[address] is None:
            return None
        level = [each["level"] for each in levels[origin["source"]] if each["since"] <= origin["dated"]][-1]
        return (level, origin["dated"], places[address])

    cards = {entry: tools.read_entry(entry=entry) for entry in entries}
    for entry in entries:
        group = {entry, cards[entry]["same_as"]} | {each for each in cards if cards[each]["same_as"] == entry}
        numbers = [number for each in sorted(group - {None}) for number in cards[each]["records"]]
        found = [facts(number) for number in numbers]
        found = [each for each in found if each is not None]
        named = set()
        if found:
            newest = date.fromisoformat(max(each[1] for each in found))
            found = [each for each in found if (newest - date.fromisoformat(each[1])).days <= days]
            level = min(each[0] for each in found)
            latest = max(each[1] for each in found if each[0] == level)
            named = {each[2] for each in found if each[:2] == (level, latest)}
        if len(named) == 1:
            tools.set_property(entry=entry, property=min(named))
        else:
            tools.mark_undecidable(entry=entry)


SOURCES = ("Census office", "Post office", "Meter readings", "Call centre", "Land registry", "Tenants' union")
STREETS = "Abbey,Brook,Castle,Dean,Elm,Forge,Grove,Harbour,Ivy,Kiln,Lime,Mill,North,Orchard".split(",")


def spellings(house, street):
    return [f"{house} {street} Street", f"{street} St. {house}", f"No. {house}, {street} Street"]


def draw_customer(random, config, difficulty, numbers, serials):
    """Entries of one customer with their records; two places are named, in several spellings."""
    streets = random.sample(STREETS, 2)
    places = [(random.randint(1, 80), street) for street in streets]
    known_as = [f"P{random.randint(1000, 9999)}" for place in places]
    gazetteer = {text: known_as[i] for i in (0, 1) for text in spellings(*places[i])}
    entries = [
        {"number": number, "under_review": True, "property": random.choice(known_as), "same_as": ""}
        for number in numbers
    ]
    if len(entries) == 2:
        entries[random.randint(0, 1)]["same_as"] = numbers[0]
        if entries[0]["same_as"]:
            entries[0]["same_as"] = numbers[1]
    first = date(2024, 1, 1) + timedelta(days=random.randint(0, 200))
    # The newest record is as much newer than the oldest as is allowed, or one day more, or clearly more.
    span = config["days"] + random.choice([0, 1, 20])
    dates = [first + timedelta(days=each) for each in (0, config["days"] // 2, span)]
    records = []
    for entry in entries:
        for index in range(random.randint(2, 4) if len(entries) == 2 else random.randint(3, 4)):
            address = random.choice(spellings(*random.choice(places)))
            if random.random() < 0.08:
                address = address.replace("Street", "Lane")
            records.append(
                {
                    "number": serials.pop(),
                    "entry": entry["number"],
                    "source": random.choice(config["sources"])["name"],
                    "dated": random.choice(dates).isoformat(),
                    "address": address,
                    "copied_from": "",
                    "withdrawn": random.random() < 0.15,
                }
            )
    if difficulty > 3:
        for later in range(1, len(records)):
            if random.random() < 0.4:
                origin = random.choice(records[:later])
                records[later]["copied_from"] = origin["number"]
                records[later]["dated"] = max(dates).isoformat()
                if random.random() < 0.7:
                    records[later]["address"] = origin["address"]
    return {**config, "entries": entries, "records": records, "gazetteer": gazetteer}


def draw_sources(random, difficulty, numbers):
    """Sources with their levels over time and the withdrawn records that are no longer in the register."""
    names = random.sample(SOURCES, 3 + difficulty // 2)
    sources = []
    for name, level in zip(names, [1, 2, 2, 3, 3]):
        history = [{"since": "2020-01-01", "level": level}]
        if random.random() < 0.5:
            since = date(2024, 6, 1) + timedelta(days=random.randint(0, 500))
            changed = random.choice([each for each in (1, 2, 3) if each != level])
            history.append({"since": since.isoformat(), "level": changed})
        removed = [numbers.pop() for _ in range(random.randint(5, 9) if difficulty > 2 else 0)]
        sources.append({"name": name, "levels": history, "removed": sorted(removed)})
    return sources


def generate(random, difficulty: int) -> Config:
    customers = (2, 4, 6, 9, 12)[difficulty - 1]
    doubles = (0, 0, 0, 2, 3)[difficulty - 1]
    least_wrong = (1, 2, 3, 5, 7)[difficulty - 1]
    while True:
        serials = [f"A{number}" for number in random.sample(range(1000, 10000), 400)]
        sources = draw_sources(random, difficulty, serials)
        config = {"reviewed": 0, "days": random.choice([300, 400, 500]), "sources": sources}
        others = 2 * difficulty
        numbers = [f"K{number}" for number in random.sample(range(100, 1000), customers + doubles + others)]
        parts, missing = [], set(rules_for(difficulty))
        for customer in range(customers + others):
            twice = doubles > customer
            own = [numbers.pop() for entry in range(2 if twice else 1)]
            for attempt in range(60):
                part = draw_customer(random, config, difficulty, own, serials[-12:])
                if customer >= customers or not missing:
                    break
                # Each customer under review makes further rules matter, until all do.
                right = expected(part)
                shown = {rule for rule in sorted(missing) if expected(part, rule) != right}
                if len(shown) >= -(-len(missing) // (customers - customer)):
                    missing -= shown
                    break
            serials = serials[:-12]
            if customer >= customers:
                for entry in part["entries"]:
                    entry["under_review"] = False
            parts.append(part)
        config["reviewed"] = customers + doubles
        config["entries"] = [entry for part in parts for entry in part["entries"]]
        config["records"] = [record for part in parts for record in part["records"]]
        config["gazetteer"] = {text: place for part in parts for text, place in part["gazetteer"].items()}
        if len(config["gazetteer"]) < sum(len(part["gazetteer"]) for part in parts):
            continue
        if len(set(config["gazetteer"].values())) < 2 * len(parts):
            continue
        state = expected(config)
        harmless = [rule for rule in rules_for(difficulty) if expected(config, rule) == state]
        before = unchanged(config)
        wrong = [number for number, place in state["register"].items() if before[number] != place]
        if len(harmless) <= (4 if difficulty == 1 else 0) and len(wrong) >= least_wrong:
            return config
