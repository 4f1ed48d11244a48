"""Run the support desk for a day by the house rules and report which tickets came too late. What counts is
that the day was worked as the rules say, and that the report is right.

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
- Working on a ticket takes its effort. For the ticket itself, and for each ticket linked to it, that is
  past its due minute when the work begins, an escalation call adds {escalation} minutes. In the end the
  ticket and all that are linked to it are resolved. But work on a symptom, or on a ticket that waits for
  an unresolved one, is wasted: the minutes pass and nothing is resolved.
- Waiting moves the clock to the minute at which the next ticket comes in.

The house rules say what to do next, always the first of these that applies:
1. There is a symptom, not linked yet, and you have read it and every ticket up the chain to its root: link
   it.
2. There are unread tickets: read the one with the lowest number.
3. There are unresolved tickets: work on the most urgent of those that are not symptoms and do not wait for
   an unresolved ticket; of equally urgent ones, on the lowest number. A ticket is as urgent as the
   earliest due minute found among itself, the tickets linked to it, the unresolved tickets that wait for
   it and those linked to them, the unresolved tickets that wait for those in their turn, and so on.
4. More tickets are to come: wait.

Your answer is an object with one entry for every ticket that is resolved late under these rules, from its
number to the minutes by which it is late. For example: {{"T104": 12, "T117": 3}}
"""

from collections import deque
from typing import Literal, TypedDict

META = {
    "title": "Ticket triage",
    "tags": ["support", "scheduling"],
    "public": ["gold", "silver", "bronze", "escalation"],
    "license": "MIT",
    "source": "original",
}

READING = 1
WRONG_LINK = 10


class Ticket(TypedDict):
    number: str
    opened: int
    level: Literal["gold", "silver", "bronze"]
    effort: int
    symptom_of: str | None
    waits_for: str | None


class Day(TypedDict):
    resolved_at: dict[str, int]


class Queue(TypedDict):
    clock: int
    unread: list[str]
    unresolved: list[str]
    more_to_come: bool


class Link(TypedDict):
    outcome: Literal["linked", "resolved", "wrong root"]
    clock: int


class Work(TypedDict):
    minutes: int
    resolved: list[str]
    clock: int


def root_of(tickets: dict, number: str) -> str:
    while tickets[number]["symptom_of"] is not None:
        number = tickets[number]["symptom_of"]
    return number


class Environment:
    def __init__(self, gold: int, silver: int, bronze: int, escalation: int, tickets: list[Ticket]):
        limits = {"gold": gold, "silver": silver, "bronze": bronze}
        self.tickets = {ticket["number"]: ticket for ticket in tickets}
        self.due = {ticket["number"]: ticket["opened"] + limits[ticket["level"]] for ticket in tickets}
        self.escalation = escalation
        self.clock = 0
        self.known = []  # read
        self.links = {}
        self.resolved = []
        self.resolved_at = {}

    def queue(self) -> Queue:
        """Show the clock, the tickets not read yet, and the tickets read but unresolved."""
        came = [number for number in self.tickets if self.tickets[number]["opened"] <= self.clock]
        return {
            "clock": self.clock,
            "unread": sorted(number for number in came if number not in self.known),
            "unresolved": sorted(number for number in self.known if number not in self.resolved),
            "more_to_come": len(came) < len(self.tickets),
        }

    def read(self, ticket: str) -> Ticket:
        """Read a ticket: when it was opened, its level, its effort in minutes and what it depends on.

        Args:
            ticket: number of a ticket that has come in.
        """
        if ticket not in self.tickets or self.tickets[ticket]["opened"] > self.clock:
            raise ValueError("no such ticket has come in")
        self.clock += READING
        if ticket not in self.known:
            self.known.append(ticket)
        return dict(self.tickets[ticket])

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
            self.clock += WRONG_LINK
            return {"outcome": "wrong root", "clock": self.clock}
        self.links[ticket] = root
        if root not in self.resolved:
            return {"outcome": "linked", "clock": self.clock}
        self.resolved.append(ticket)
        self.resolved_at[ticket] = self.clock
        return {"outcome": "resolved", "clock": self.clock}

    def work(self, ticket: str) -> Work:
        """Work on a ticket until it is finished; shows the minutes it took and the tickets resolved by it.

        Args:
            ticket: number of an unresolved ticket that has been read.
        """
        if ticket not in self.known or ticket in self.resolved:
            raise ValueError("ticket must be the number of an unresolved ticket that has been read")
        found = self.tickets[ticket]
        group = [ticket] + sorted(number for number in self.links if self.links[number] == ticket)
        minutes = found["effort"] + self.escalation * sum(self.due[number] < self.clock for number in group)
        self.clock += minutes
        waits_for = found["waits_for"]
        if found["symptom_of"] is not None or (waits_for is not None and waits_for not in self.resolved):
            group = []
        self.resolved += group
        self.resolved_at.update(dict.fromkeys(group, self.clock))
        return {"minutes": minutes, "resolved": group, "clock": self.clock}

    def wait(self) -> int:
        """Do nothing until the next ticket comes in; returns the minute on the clock then."""
        coming = [ticket["opened"] for ticket in self.tickets.values() if ticket["opened"] > self.clock]
        if not coming:
            raise ValueError("no more tickets come in today")
        self.clock = min(coming)
        return self.clock

    def final_state(self) -> Day:
        return {"resolved_at": self.resolved_at}


def urgency(number: str, due: dict, above: dict, pending: list) -> int:
    """The earliest due minute among the ticket and all pending ones that hang on it."""
    hanging = [each for each in pending if above[each] == number]
    return min([due[number]] + [urgency(each, due, above, pending) for each in hanging])


def play_day(
    limits: dict,
    escalation: int,
    tickets: list[Ticket],
    through_links: bool = True,
    through_waits: bool = True,
    reads_first: bool = True,
) -> dict[str, int]:
    """The minute at which each ticket is resolved, played with all tickets in view.

    The flags say whether urgency is inherited from linked symptoms and from waiting tickets, and whether
    tickets that have come in are read before more work is done.
    """
    stored = {ticket["number"]: ticket for ticket in tickets}
    due = {ticket["number"]: ticket["opened"] + limits[ticket["level"]] for ticket in tickets}
    roots = {number: root_of(stored, number) for number in stored}
    above = {each: stored[each]["waits_for"] if roots[each] == each else roots[each] for each in stored}
    followed = {each: above[each] for each in stored if through_links or roots[each] == each}
    followed = {each: followed[each] for each in followed if through_waits or roots[each] != each}
    passed_up = {each: followed.get(each) for each in stored}
    unread = deque(sorted(stored))
    pending = []
    finished = {}
    clock = 0
    while unread or pending:
        free = [each for each in pending if roots[each] == each and above[each] not in pending]
        arrived = unread and stored[unread[0]]["opened"] <= clock
        if arrived and (reads_first or not free):
            number = unread.popleft()
            clock += READING
            if roots[number] in finished:
                finished[number] = clock
            else:
                pending.append(number)
        elif free:
            chosen = min(free, key=lambda each: (urgency(each, due, passed_up, pending), each))
            group = [each for each in pending if roots[each] == chosen]
            clock += stored[chosen]["effort"] + escalation * sum(due[each] < clock for each in group)
            finished.update(dict.fromkeys(group, clock))
            pending = [each for each in pending if each not in group]
        else:
            clock = stored[unread[0]]["opened"]
    return finished


def late_by(limits: dict, tickets: list[Ticket], finished: dict[str, int]) -> dict[str, int]:
    due = {ticket["number"]: ticket["opened"] + limits[ticket["level"]] for ticket in tickets}
    return {each: finished[each] - due[each] for each in sorted(due) if finished[each] > due[each]}


def reference(gold: int, silver: int, bronze: int, escalation: int, tickets: list[Ticket]) -> dict[str, int]:
    limits = {"gold": gold, "silver": silver, "bronze": bronze}
    return late_by(limits, tickets, play_day(limits, escalation, tickets))


def accepts(
    answer: dict[str, int],
    state: Day,
    gold: int,
    silver: int,
    bronze: int,
    escalation: int,
    tickets: list[Ticket],
) -> bool:
    limits = {"gold": gold, "silver": silver, "bronze": bronze}
    finished = play_day(limits, escalation, tickets)
    return answer == late_by(limits, tickets, finished) and state["resolved_at"] == finished


def mistakes(gold: int, silver: int, bronze: int, escalation: int, tickets: list[Ticket]) -> dict:
    limits = {"gold": gold, "silver": silver, "bronze": bronze}
    found = {}
    for name, flags in (
        ("works by each ticket's own due minute", {"through_links": False, "through_waits": False}),
        ("forgets that linked symptoms are urgent", {"through_links": False}),
        ("forgets that waiting tickets are urgent", {"through_waits": False}),
        ("works on before reading what came in", {"reads_first": False}),
    ):
        finished = play_day(limits, escalation, tickets, **flags)
        found[name] = {
            "answer": late_by(limits, tickets, finished),
            "state": {"resolved_at": finished},
        }
    return found


def solve(tools, gold, silver, bronze, escalation):
    limits = {"gold": gold, "silver": silver, "bronze": bronze}
    known = {}
    due = {}
    unlinked = []
    late = {}

    def settle(numbers, clock):
        for number in numbers:
            if clock > due[number]:
                late[number] = clock - due[number]

    def chain_end(number):
        while number in known and known[number]["symptom_of"] is not None:
            number = known[number]["symptom_of"]
        return number

    while True:
        queue = tools.queue()
        for number in queue["unread"]:
            ticket = tools.read(ticket=number)
            known[number] = ticket
            due[number] = ticket["opened"] + limits[ticket["level"]]
            if ticket["symptom_of"] is not None:
                unlinked.append(number)
            for symptom in [each for each in unlinked if chain_end(each) in known]:
                unlinked.remove(symptom)
                linked = tools.link(ticket=symptom, root=chain_end(symptom))
                if linked["outcome"] == "resolved":
                    settle([symptom], linked["clock"])
        if queue["unread"]:
            continue
        if queue["unresolved"]:
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
            settle(done["resolved"], done["clock"])
        elif queue["more_to_come"]:
            tools.wait()
        else:
            return late


def draw_tickets(random, size: int) -> list[dict]:
    """Draw a day: some tickets wait at minute 0, the others come in one by one, with a lull in between."""
    at_start = max(3, size // 3)
    lull = random.randint(at_start, size - 1)
    numbers = sorted(random.sample(range(101, 101 + 3 * size), size))
    first = numbers[:at_start]
    random.shuffle(first)
    tickets = []
    minute = 0
    for index, number in enumerate(first + numbers[at_start:]):
        if index >= at_start:
            minute += random.randint(2, 18) + (random.randint(60, 120) if index == lull else 0)
        symptom_of = waits_for = None
        chance = random.random()
        if tickets and chance < 0.35:
            symptom_of = random.choice(tickets)["number"]
        elif tickets and chance < 0.6:
            waits_for = random.choice([each for each in tickets if each["symptom_of"] is None])["number"]
        tickets.append(
            {
                "number": f"T{number}",
                "opened": minute,
                "level": random.choice(["gold", "silver", "bronze"]),
                "effort": random.randint(6, 28),
                "symptom_of": symptom_of,
                "waits_for": waits_for,
            }
        )
    return sorted(tickets, key=lambda ticket: ticket["number"])


def generate(random, difficulty: int) -> dict:
    size = [4, 7, 11, 17, 26][difficulty - 1]
    while True:
        limits = {
            "gold": random.choice([20, 25, 30]),
            "silver": random.choice([40, 50, 60]),
            "bronze": random.choice([90, 120]),
        }
        escalation = random.randint(2, 6)
        tickets = draw_tickets(random, size)
        config = {**limits, "escalation": escalation, "tickets": tickets}
        finished = play_day(limits, escalation, tickets)
        late = late_by(limits, tickets, finished)
        # Some tickets are late all the same, and each rule that can be forgotten changes the day.
        wrong = [mistake["state"]["resolved_at"] for mistake in mistakes(**config).values()]
        forgotten = wrong if difficulty > 1 else wrong[:1]
        if 2 <= len(late) <= size // 2 + 1 and finished not in forgotten:
            return config
