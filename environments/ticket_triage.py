"""Take the support desk for a day. Work the tickets by the house rules, and report which came too late.

The day starts at minute 0 and ends when every ticket of the day is resolved. Tickets come in while the
clock runs; their numbers rise in the order in which they come in. A ticket is due {gold}, {silver} or
{bronze} minutes after it was opened, by its service level (gold, silver, bronze). It is late if it is
resolved after its due minute.

A ticket that is a symptom of another one is resolved together with the root, the ticket at the end of the
chain of symptoms, which is itself a symptom of none. For that, the symptom has to be linked to the root.
If the root is resolved already, linking resolves the symptom at once. A ticket that waits for another
cannot be resolved before that other one is. Symptoms wait for nothing, nothing waits for a symptom, and no
ticket depends on one that comes in at a later minute.

What things cost on the clock:
- Looking at the queue is free. Reading a ticket takes 1 minute, every time.
- Linking takes no time, but trying to link to a ticket that is not the root takes 10 minutes and links
  nothing.
- Working on a ticket takes its effort. For the ticket itself, and for each unresolved ticket linked to it,
  that is past its due minute when the work begins, an escalation call adds {escalation} minutes. In the end
  the ticket and all that were linked to it are resolved. But work on a symptom, or on a ticket that waits
  for one that is unresolved when the work begins, is wasted: the minutes pass and nothing is resolved.
- Waiting moves the clock to the minute at which the next ticket comes in.
{circumstances}
The house rules say what to do next, always the first of these that applies:
1. There is a symptom, not linked yet, and you have read it and every ticket up the chain to its root: link
   it.
2. There are unread tickets: read the one with the lowest number.
3. There are unresolved tickets: work on the most urgent of those that are not symptoms and do not wait for
   an unresolved ticket; of equally urgent ones, on the lowest number. A ticket is as urgent as the
   earliest due minute among itself, the unresolved tickets that are linked to it or wait for it, the
   unresolved tickets that are linked to those or wait for those, and so on.
4. More tickets are to come: wait.

Your answer is an object with one entry for every ticket that is resolved late under these rules, from its
number to the minutes by which it is late. For example: {{"T104": 12, "T117": 3}}. The minutes at which you
resolve the tickets are checked as well.
"""

from typing import Literal, TypedDict

META = {
    "title": "Ticket triage",
    "tags": ["support", "scheduling"],
    "public": ["gold", "silver", "bronze", "escalation", "today", "circumstances"],
    "license": "MIT",
    "source": "original",
}

CIRCUMSTANCES = """
Two things are particular to this desk. Today is day TODAY.
- The level on a ticket is only what the customer claims. What counts is the level in the register of
  contracts, or in an amendment to the contract. An amendment counts if both sides have signed it and it is
  in force from today or from an earlier day; if several count, the one with the latest day does. Tickets of
  customers without a contract are bronze. Looking into the register is free.
- Customers send some tickets back after they were resolved, but no symptoms. A ticket that has come back is
  unresolved and unread again, and reading it shows the effort that it takes now. Its due minute remains the
  same, and what counts in the end is when it was resolved for the last time. Symptoms that were resolved
  with it stay resolved. Tickets that wait for it and are not resolved yet wait for it again. Waiting moves
  the clock to the minute at which the next ticket comes in or comes back.
"""
READING = 1
WRONG_LINK = 10
LEVELS = ["gold", "silver", "bronze"]


class Ticket(TypedDict):
    number: str
    opened: int
    customer: str
    level: Literal["gold", "silver", "bronze"]
    effort: int
    symptom_of: str | None
    waits_for: str | None


class Amendment(TypedDict):
    level: Literal["gold", "silver", "bronze"]
    from_day: int
    signed_by: Literal["both sides", "customer"]


class Contract(TypedDict):
    customer: str
    level: Literal["gold", "silver", "bronze"]
    amendments: list[Amendment]


class Comeback(TypedDict):
    ticket: str
    after: int
    effort: int


class Config(TypedDict):
    gold: int
    silver: int
    bronze: int
    escalation: int
    today: int
    circumstances: str
    tickets: list[Ticket]
    register: list[Contract]
    comebacks: list[Comeback]


class Queue(TypedDict):
    clock: int
    unread: list[str]
    unresolved: list[str]
    more_to_come: bool


class Entry(TypedDict):
    customer: str
    contract: Contract | None


class Link(TypedDict):
    outcome: Literal["linked", "resolved", "wrong root"]
    clock: int


class Work(TypedDict):
    minutes: int
    resolved: list[str]
    clock: int


class Day(TypedDict):
    resolved_at: dict[str, int]


def root_of(tickets: dict, number: str) -> str:
    while tickets[number]["symptom_of"] is not None:
        number = tickets[number]["symptom_of"]
    return number


def level_of(ticket: Ticket, config: Config, forget: str = "") -> str:
    """The level by which a ticket is due; with one rule forgotten, if it is named."""
    if not config["circumstances"] or forget == "believes the levels on the tickets":
        return ticket["level"]
    contract = contract_of(config["register"], ticket["customer"])
    if contract is None:
        return ticket["level"] if forget == "believes customers without a contract" else "bronze"
    return agreed_level(contract, config["today"], forget)


def contract_of(register: list[Contract], customer: str) -> Contract | None:
    return next((contract for contract in register if contract["customer"] == customer), None)


def agreed_level(contract: Contract, today: int, forget: str = "") -> str:
    counting = [
        amendment
        for amendment in contract["amendments"]
        if (amendment["from_day"] <= today or forget == "counts amendments that are not in force yet")
        and (amendment["from_day"] != today or forget != "does not count amendments from today")
        and (amendment["signed_by"] == "both sides" or forget == "counts amendments of the customer alone")
    ]
    if not counting or forget == "overlooks amendments":
        return contract["level"]
    if forget == "takes the amendment that is listed last":
        return counting[-1]["level"]
    return max(counting, key=lambda amendment: amendment["from_day"])["level"]


def due_minutes(config: Config, forget: str = "") -> dict[str, int]:
    return {
        ticket["number"]: ticket["opened"] + config[level_of(ticket, config, forget)]
        for ticket in config["tickets"]
    }


class Environment:
    def __init__(self, config: Config):
        self.tickets = {ticket["number"]: dict(ticket) for ticket in config["tickets"]}
        self.due = due_minutes(config)
        self.escalation = config["escalation"]
        self.has_register = config["circumstances"] != ""
        self.register = config["register"]
        self.comebacks = {comeback["ticket"]: comeback for comeback in config["comebacks"]}
        self.clock = 0
        self.known = []  # read at least once
        self.unread_again = []
        self.links = {}
        self.resolved_at = {}

    def queue(self) -> Queue:
        """Show the clock, the unread tickets, the other unresolved ones, and whether more will come."""
        came = [number for number in self.tickets if self.tickets[number]["opened"] <= self.clock]
        unread = [number for number in came if number not in self.known] + self.unread_again
        pending = [number for number in self.known if number not in self.resolved_at]
        return {
            "clock": self.clock,
            "unread": sorted(unread),
            "unresolved": sorted(number for number in pending if number not in unread),
            "more_to_come": len(next_minutes(self)) > 0,
        }

    def read(self, ticket: str) -> Ticket:
        """Read a ticket: when it was opened, for whom, its level, its effort in minutes, what it depends on.

        Args:
            ticket: number of a ticket that has come in.
        """
        if ticket not in self.tickets or self.tickets[ticket]["opened"] > self.clock:
            raise ValueError("no such ticket has come in")
        if ticket not in self.known:
            self.known.append(ticket)
        if ticket in self.unread_again:
            self.unread_again.remove(ticket)
        found = dict(self.tickets[ticket])
        move_clock(self, self.clock + READING)
        return found

    def look_up_contract(self, customer: str) -> Entry:
        """Look up a customer in the register: the contract and its amendments, or null if there is none.

        Args:
            customer: name of the customer, as on the ticket.
        """
        if not self.has_register:
            raise ValueError("this desk has no register: the level on the ticket counts")
        return {"customer": customer, "contract": contract_of(self.register, customer)}

    def link(self, ticket: str, root: str) -> Link:
        """Link a symptom to its root, so that both are resolved together.

        Args:
            ticket: number of the symptom, read and not linked yet.
            root: number of its root, read.
        """
        if ticket not in self.known or root not in self.known:
            raise ValueError("ticket and root must both have been read")
        if ticket in self.links:
            raise ValueError(f"{ticket} has been linked already")
        if ticket == root or root_of(self.tickets, ticket) != root:
            move_clock(self, self.clock + WRONG_LINK)
            return {"outcome": "wrong root", "clock": self.clock}
        self.links[ticket] = root
        if root not in self.resolved_at:
            return {"outcome": "linked", "clock": self.clock}
        self.resolved_at[ticket] = self.clock
        return {"outcome": "resolved", "clock": self.clock}

    def work(self, ticket: str) -> Work:
        """Work on a ticket until it is finished; shows the minutes it took and the tickets resolved by it.

        Args:
            ticket: number of an unresolved ticket that has been read.
        """
        if ticket not in self.known or ticket in self.resolved_at or ticket in self.unread_again:
            raise ValueError("ticket must be the number of an unresolved ticket that has been read")
        found = self.tickets[ticket]
        linked = [number for number in self.links if self.links[number] == ticket]
        group = [ticket] + sorted(number for number in linked if number not in self.resolved_at)
        calls = sum(self.due[number] < self.clock for number in group)
        minutes = found["effort"] + self.escalation * calls
        waits_for = found["waits_for"]
        if found["symptom_of"] is not None or (waits_for is not None and waits_for not in self.resolved_at):
            group = []
        self.resolved_at.update(dict.fromkeys(group, self.clock + minutes))
        move_clock(self, self.clock + minutes)
        return {"minutes": minutes, "resolved": group, "clock": self.clock}

    def wait(self) -> int:
        """Do nothing until the next ticket comes; returns the minute on the clock then."""
        coming = next_minutes(self)
        if not coming:
            raise ValueError("no more tickets come today")
        move_clock(self, min(coming))
        return self.clock

    def final_state(self) -> Day:
        return {"resolved_at": self.resolved_at}


def next_minutes(desk) -> list[int]:
    """The minutes to come at which tickets come in or come back."""
    opened = [ticket["opened"] for ticket in desk.tickets.values() if ticket["opened"] > desk.clock]
    return opened + [
        desk.resolved_at[number] + comeback["after"]
        for number, comeback in desk.comebacks.items()
        if number in desk.resolved_at
    ]


def move_clock(desk, minute):
    """Lets time pass; each ticket comes back once."""
    desk.clock = minute
    for number, comeback in list(desk.comebacks.items()):
        if number in desk.resolved_at and desk.resolved_at[number] + comeback["after"] <= minute:
            desk.comebacks.pop(number)
            desk.resolved_at.pop(number)
            desk.unread_again.append(number)
            desk.tickets[number]["effort"] = comeback["effort"]


LINKED_OVERLOOKED = "forgets that linked symptoms are urgent"
WAITING_OVERLOOKED = "forgets that waiting tickets are urgent"
ONE_STEP = "looks only one step down for urgent tickets"
QUICKEST_FIRST = "takes the quickest of equally urgent tickets"
WRONG_ROOT = "links symptoms to the tickets that they name"
WORKS_BEFORE_READING = "works on before reading what came in"
FIRST_COUNTS = "counts the first time that a ticket was resolved"
NEW_DUE_MINUTE = "gives tickets that come back a new due minute"
NEW_ONES_FIRST = "reads new tickets before those that came back"
NO_LONGER_WAITING = "works on what waits for a ticket that came back"


class Played:
    """A day played with all tickets in view, by the rules or with one of them forgotten.

    Each ticket hangs on another one: a symptom on its root, others on what they wait for.
    """

    def __init__(self, config: Config, forget: str):
        self.forget = forget
        self.escalation = config["escalation"]
        self.tickets = {ticket["number"]: dict(ticket) for ticket in config["tickets"]}
        self.right_due, self.due = due_minutes(config), due_minutes(config, forget)
        self.roots = {number: root_of(self.tickets, number) for number in self.tickets}
        self.above = {
            number: ticket["waits_for"] if self.roots[number] == number else self.roots[number]
            for number, ticket in self.tickets.items()
        }
        # What a ticket passes its due minute up to.
        overlooked = {LINKED_OVERLOOKED: True, WAITING_OVERLOOKED: False}.get(forget)
        self.passes_to = {
            number: None if (self.roots[number] != number) == overlooked else self.above[number]
            for number in self.tickets
        }
        self.coming = {number: ticket["opened"] for number, ticket in self.tickets.items()}  # unread
        self.comebacks = {comeback["ticket"]: comeback for comeback in config["comebacks"]}
        self.pending, self.resolved_at, self.first_resolved_at, self.wasted = [], {}, {}, []
        self.clock = 0

    def returns(self) -> dict[str, int]:
        """The minutes at which resolved tickets come back."""
        return {
            number: self.resolved_at[number] + comeback["after"]
            for number, comeback in self.comebacks.items()
            if number in self.resolved_at
        }

    def update(self):
        """Lets tickets come back, then resolves what is linked to resolved ones."""
        for number, minute in self.returns().items():
            if minute > self.clock:
                continue
            self.coming[number] = minute
            self.resolved_at.pop(number)
            self.tickets[number]["effort"] = self.comebacks.pop(number)["effort"]
            if self.forget == NEW_DUE_MINUTE:
                self.due[number] += minute - self.tickets[number]["opened"]
        for number in list(self.pending):
            if self.roots[number] in self.resolved_at:
                self.resolve([number])

    def resolve(self, numbers: list[str]):
        for number in numbers:
            self.pending.remove(number)
            self.resolved_at[number] = self.clock
            self.first_resolved_at.setdefault(number, self.clock)

    def seems_free(self, number: str) -> bool:
        """Whether a ticket seems to be no symptom and to wait for nothing unresolved."""
        above = self.above[number]
        once_is_enough = self.forget == NO_LONGER_WAITING and number not in self.wasted
        resolved = self.first_resolved_at if once_is_enough else self.resolved_at
        return self.roots[number] == number and (above is None or above in resolved)

    def read_one_of(self, arrived: list[str]):
        new = [number for number in arrived if number not in self.first_resolved_at]
        number = min(new if new and self.forget == NEW_ONES_FIRST else arrived)
        self.coming.pop(number)
        self.pending.append(number)
        self.clock += READING
        if self.forget == WRONG_ROOT and self.tickets[number]["symptom_of"] not in (None, self.roots[number]):
            self.clock += WRONG_LINK

    def work_on_one_of(self, free: list[str]):
        urgent = {number: self.due[number] for number in self.pending}
        for number in self.pending:
            above = self.passes_to[number]
            while above in urgent:
                urgent[above] = min(urgent[above], self.due[number])
                above = None if self.forget == ONE_STEP else self.passes_to[above]
        efforts = {number: ticket["effort"] for number, ticket in self.tickets.items()}
        if self.forget != QUICKEST_FIRST:
            efforts = dict.fromkeys(efforts, 0)
        chosen = min(free, key=lambda number: (urgent[number], efforts[number], number))
        group = [number for number in self.pending if self.roots[number] == chosen]
        calls = sum(self.right_due[number] < self.clock for number in group)
        self.clock += self.tickets[chosen]["effort"] + self.escalation * calls
        if self.above[chosen] is None or self.above[chosen] in self.resolved_at:
            self.resolve(group)
        else:
            self.wasted.append(chosen)


def play_day(config: Config, forget: str = "") -> dict:
    """The answer and the final state of a day by the rules; with one rule forgotten, if it is named."""
    day = Played(config, forget)
    while day.coming or day.pending or day.returns():
        arrived = [number for number in day.coming if day.coming[number] <= day.clock]
        free = [number for number in day.pending if day.seems_free(number)]
        if arrived and not (free and forget == WORKS_BEFORE_READING):
            day.read_one_of(arrived)
        elif free:
            day.work_on_one_of(free)
        else:
            day.clock = min([*day.coming.values(), *day.returns().values()])
        day.update()
    counted = day.first_resolved_at if forget == FIRST_COUNTS else day.resolved_at
    late = {each: counted[each] - day.due[each] for each in sorted(counted) if counted[each] > day.due[each]}
    return {"answer": late, "state": {"resolved_at": day.resolved_at}}


def reference(config: Config) -> dict[str, int]:
    return play_day(config)["answer"]


def accepts(answer: dict[str, int], state: Day, config: Config) -> bool:
    return {"answer": answer, "state": state} == play_day(config)


HOUSE_RULES = [
    QUICKEST_FIRST,
    WAITING_OVERLOOKED,
    LINKED_OVERLOOKED,
    ONE_STEP,
    WRONG_ROOT,
    WORKS_BEFORE_READING,
]
MORE_RULES = [
    "believes the levels on the tickets",
    "believes customers without a contract",
    "overlooks amendments",
    "takes the amendment that is listed last",
    "counts amendments of the customer alone",
    "counts amendments that are not in force yet",
    "does not count amendments from today",
    FIRST_COUNTS,
    NEW_DUE_MINUTE,
    NEW_ONES_FIRST,
    NO_LONGER_WAITING,
]


def mistakes(config: Config) -> dict:
    rules = MORE_RULES + HOUSE_RULES if config["circumstances"] else HOUSE_RULES
    return {rule: play_day(config, rule) for rule in rules}


def solve(tools, gold, silver, bronze, escalation, today, circumstances):
    limits = {"gold": gold, "silver": silver, "bronze": bronze}
    known, due, levels, resolved_at = {}, {}, {}, {}
    unlinked = []

    def level(ticket):
        customer = ticket["customer"]
        if not circumstances:
            return ticket["level"]
        if customer not in levels:
            contract = tools.look_up_contract(customer=customer)["contract"]
            levels[customer] = agreed_level(contract, today) if contract else "bronze"
        return levels[customer]

    def chain_end(number):
        while number in known and known[number]["symptom_of"] is not None:
            number = known[number]["symptom_of"]
        return number

    def read(number):
        known[number] = tools.read(ticket=number)
        due[number] = known[number]["opened"] + limits[level(known[number])]
        if known[number]["symptom_of"] is not None:
            unlinked.append(number)
        for symptom in [each for each in unlinked if chain_end(each) in known]:
            unlinked.remove(symptom)
            linked = tools.link(ticket=symptom, root=chain_end(symptom))
            if linked["outcome"] == "resolved":
                resolved_at[symptom] = linked["clock"]

    while True:
        queue = tools.queue()
        if queue["unread"]:
            # A ticket with a lower number may come back while others are read.
            for number in queue["unread"][:1] if circumstances else queue["unread"]:
                read(number)
        elif queue["unresolved"]:
            # Every unresolved ticket passes its due minute up: to its root, and on to what that waits for.
            urgent = {number: due[number] for number in queue["unresolved"]}
            for number in queue["unresolved"]:
                higher = chain_end(number)
                while higher in urgent:
                    urgent[higher] = min(urgent[higher], due[number])
                    higher = known[higher]["waits_for"]
            free = [
                number
                for number in urgent
                if known[number]["symptom_of"] is None and known[number]["waits_for"] not in urgent
            ]
            done = tools.work(ticket=min(free, key=lambda number: (urgent[number], number)))
            resolved_at.update(dict.fromkeys(done["resolved"], done["clock"]))
        elif queue["more_to_come"]:
            tools.wait()
        else:
            return {each: resolved_at[each] - due[each] for each in due if resolved_at[each] > due[each]}


CUSTOMERS = [
    "Alder Clinic",
    "Brook Bakery",
    "Cedar School",
    "Dover Ferries",
    "Elm Bank",
    "Fern Hotels",
    "Grove Press",
    "Heath Farms",
]


def draw_tickets(random, size: int) -> list[Ticket]:
    """Draw a day: some tickets wait at minute 0, the others come in later, with a lull in between."""
    at_start = max(3, size // 3)
    lull = random.randint(at_start, size - 1)
    numbers = sorted(random.sample(range(101, 101 + 3 * size), size))
    first = numbers[:at_start]
    random.shuffle(first)
    tickets = []
    minute = 0
    for index, number in enumerate(first + numbers[at_start:]):
        if index >= at_start and random.random() < 0.7:
            minute += random.randint(2, 18) + (random.randint(60, 120) if index == lull else 0)
        ticket = {"number": f"T{number}", "opened": minute, "customer": "", "level": "bronze"}
        ticket.update({"effort": random.randint(4, 24), "symptom_of": None, "waits_for": None})
        chance = random.random()
        if tickets and chance < 0.45:
            ticket["symptom_of"] = random.choice(tickets)["number"]
        elif tickets and chance < 0.75:
            roots = [each for each in tickets if each["symptom_of"] is None]
            # Chains of waiting tickets are frequent, so that urgency often comes from far down.
            waiting = [each for each in roots if each["waits_for"] is not None]
            chain = waiting if waiting and random.random() < 0.5 else roots
            ticket["waits_for"] = random.choice(chain)["number"]
        tickets.append(ticket)
    return sorted(tickets, key=lambda ticket: ticket["number"])


def draw_levels(random, config: Config, customers: list[str]):
    """Give the tickets customers and levels: on average, tickets that hang on others are more urgent."""
    named = {name for ticket in config["tickets"] for name in (ticket["symptom_of"], ticket["waits_for"])}
    for ticket in config["tickets"]:
        weights = (0, 2, 5) if ticket["number"] in named else (5, 2, 1)
        level = random.choices(LEVELS, weights)[0]
        ticket["level"] = random.choice(LEVELS) if config["circumstances"] else level
        fit = [name for name in customers if level_of({**ticket, "customer": name}, config) == level]
        ticket["customer"] = random.choice(fit or customers)


def draw_register(random, today: int, customers: list[str]) -> list[Contract]:
    """Draw the contracts of all customers but the first; each kind of amendment is found in one of them."""
    register = []
    for index, customer in enumerate(customers[1:]):
        levels = random.sample(LEVELS, 3)
        past = sorted(random.sample(range(today - 90, today), 2))
        if index % 4 == 0:
            latest = today if index == 0 else past[1]
            drawn = [(levels[1], latest, "both sides"), (levels[2], past[0], "both sides")]
        elif index % 4 == 1:
            drawn = [(levels[1], random.randint(today + 1, today + 40), "both sides")]
        elif index % 4 == 2:
            drawn = [(levels[1], past[0], "customer")]
        else:
            drawn = []
        amendments = [dict(zip(("level", "from_day", "signed_by"), values)) for values in drawn]
        register.append({"customer": customer, "level": levels[0], "amendments": amendments})
    return sorted(register, key=lambda contract: contract["customer"])


def draw_comebacks(random, config: Config, count: int):
    """Let tickets come back that the day resolves: most of them when it makes a difference."""
    for draw in (comebacks_for_waiting, comebacks_among_new, *[comebacks_anywhere] * count)[:count]:
        found = draw(config, play_day(config)["state"]["resolved_at"])
        back = [comeback["ticket"] for comeback in config["comebacks"]]
        found = [(number, first, last) for number, first, last in found if number not in back]
        if found:
            number, first, last = random.choice(found)
            comeback = {"ticket": number, "after": random.randint(first, last)}
            config["comebacks"].append({**comeback, "effort": random.randint(4, 20)})


def comebacks_for_waiting(config: Config, resolved_at: dict) -> list[tuple[str, int, int]]:
    """Find tickets, and the minutes after which they may come back before one is begun that waits for them.

    The waiting one comes first in the order of work, but for having to wait.
    """
    due, found = due_minutes(config), []
    for ticket in config["tickets"]:
        number, above = ticket["number"], ticket["waits_for"]
        if above is not None and number < above and due[number] <= due[above]:
            idle = resolved_at[number] - ticket["effort"] - resolved_at[above]
            if idle > 1:
                found.append((above, 1, idle - 1))
    return found


def comebacks_among_new(config: Config, resolved_at: dict) -> list[tuple[str, int, int]]:
    """Find tickets, and the minutes after which they are unread beside a new symptom of a resolved ticket.

    The ticket that comes back has a lower number, and so the symptom is read and resolved later.
    """
    tickets, found = {ticket["number"]: ticket for ticket in config["tickets"]}, []
    roots = {number: root_of(tickets, number) for number in tickets}
    for symptom, root in roots.items():
        if resolved_at[symptom] == resolved_at[root]:
            continue
        others = [number for number in tickets if roots[number] == number and number < symptom]
        for number in others:
            after = resolved_at[symptom] - READING - resolved_at[number]
            if number != root and after > 0:
                found.append((number, max(1, after - 5), after))
    return found


def comebacks_anywhere(config: Config, resolved_at: dict) -> list[tuple[str, int, int]]:
    return [(ticket["number"], 5, 60) for ticket in config["tickets"] if ticket["symptom_of"] is None]


def draw_config(random, difficulty: int) -> Config:
    config = {
        "gold": random.choice([20, 25, 30]),
        "silver": random.choice([40, 50, 60]),
        "bronze": random.choice([90, 120]),
        "escalation": random.randint(2, 6),
        "today": 0,
        "circumstances": "",
        "tickets": [],
        "register": [],
        "comebacks": [],
    }
    customers = random.sample(CUSTOMERS, (3, 3, 4, 5, 7)[difficulty - 1])
    config["tickets"] = draw_tickets(random, (4, 8, 11, 20, 26)[difficulty - 1])
    if difficulty > 3:
        config["today"] = random.randint(120, 300)
        config["circumstances"] = CIRCUMSTANCES.replace("TODAY", str(config["today"]))
        config["register"] = draw_register(random, config["today"], customers)
    draw_levels(random, config, customers)
    if difficulty > 3:
        draw_comebacks(random, config, difficulty - 2)
    return config


def generate(random, difficulty: int) -> Config:
    # Rules that may be forgotten without a consequence; each of the others changes the day.
    spared = random.sample(HOUSE_RULES, (5, 2, 0, 0, 0)[difficulty - 1])
    rules = HOUSE_RULES + MORE_RULES if difficulty > 3 else HOUSE_RULES
    # Those that rarely change a drawn day are tried first.
    rules = sorted(rules, key=[NO_LONGER_WAITING, ONE_STEP, QUICKEST_FIRST, *rules].index)
    while True:
        config = draw_config(random, difficulty)
        right = play_day(config)
        late = len(right["answer"])
        if not 2 <= late <= len(config["tickets"]) * 2 // 3:
            continue
        if all(rule in spared or play_day(config, rule) != right for rule in rules):
            return config
