"""You run the booking desk of a conference house with {rooms} rooms, numbered from 1. A pile of {letters}
letters has come in, and you open them one at a time, the oldest first. There are requests for a room, and
cancellations of earlier requests, which they repeat. No client sends more than one request. A card in the
file tells a room's seats, its price per hour and its set-up hours. Hours are hours of the day.

Between two bookings in the same room on the same day there must be at least the room's set-up hours, from
the end of one to the start of the other; otherwise the bookings are too near.

Every booking begins as a hold, and opening letters is what makes time pass. A hold that is made after the
opening of letter n and before the opening of letter n + 1 lapses by itself at the moment when letter n +
{hold_letters} is opened, unless you have confirmed it before. A client whose hold has lapsed has booked
elsewhere and is out for good. An ordinary client can be confirmed only once a deposit, a quarter of the
price, has come in. That may happen some letters after the hold was made, or never, and only while the
client has that hold; whoever is released and held again starts afresh. Members pay no deposit and can be
confirmed at once.

Work by the rules of the house. Each time you have opened a letter:
1. Check the deposits of all ordinary clients who have a hold, and confirm those whose deposit is in.
2. Deal with the letter. For a request, a room suits if it has seats for all the people and no booking, held
   or confirmed, is too near. Hold the suitable room with the fewest seats (equal seats: the lowest number).
   If no room suits and the client is a member, go through the rooms with enough seats in the same order and
   take the first one in which all the bookings that are too near are unconfirmed holds of ordinary clients:
   release those holds, put their clients on the waiting list, and hold the room for the member. If that is
   not possible either, or the client is not a member, put the client on the waiting list. For a
   cancellation, release the client's booking, held or confirmed, or take the client off the waiting list;
   if the hold has lapsed, there is nothing left to do.
3. Go once through the waiting list: members before others, and each of the two groups in the order in which
   their requests came. Every client whom a room suits now gets a hold on it, again with the fewest seats,
   and leaves the list; no hold is released for a client on the list.
Whenever a member has been given a hold, confirm it at once, before anything else.
{changes}
The bookings that you leave behind after the last letter are checked. Answer with the takings: the full price
(price per hour times hours) of every booking that is confirmed then, plus the deposits of ordinary clients
who cancelled after they were confirmed, which the house keeps. Bookings that are only held then count for
nothing.
"""

from itertools import islice
from typing import Literal, TypedDict

META = {
    "title": "Venue bookings",
    "tags": ["workflow", "bookings"],
    "public": ["rooms", "letters", "hold_letters", "changes"],
    "license": "MIT",
    "source": "original",
}

CHANGES = """
Plans change while you work, and letters of two more kinds come:
- A change states a client's wishes anew. In step 2, release the client's booking, held or confirmed, or take
  the client off the waiting list. Then deal with the change like a request that came with this letter. It
  stands in place of the earlier one, also in the order of the waiting list. If the client's hold has lapsed,
  there is nothing left to do.
- A closure comes from the house. It closes a room for some hours of a day, for good. No booking may share an
  hour with a closure of its room: for a client who wants one of these hours, member or not, the room is left
  out. No set-up hours are needed before or after a closure. In step 2, release all bookings in the room that
  share an hour with the closure, held or confirmed, and put their clients on the waiting list.

The deposit of a booking that is released for a change or a closure is paid back, not kept. Cancellations and
changes count only if they are signed by the person who signed the client's request. If not, there is nothing
to do in step 2.
"""


class Card(TypedDict):
    seats: int
    price_per_hour: int
    setup_hours: int


class Letter(TypedDict):
    kind: Literal["request", "cancellation", "change", "closure"]
    client: str | None
    member: bool | None
    people: int | None
    room: int | None
    day: str
    start: int
    end: int
    signed: str


class Config(TypedDict):
    rooms: int
    letters: int
    hold_letters: int
    changes: str
    cards: list[Card]
    pile: list[Letter]
    deposit_after: dict[str, int]


class OpenedLetter(TypedDict):
    number: int
    kind: Literal["request", "cancellation", "change", "closure"]
    client: str | None
    member: bool | None
    people: int | None
    room: int | None
    day: str
    start: int
    end: int
    signed: str
    lapsed: list[str]


class Booking(TypedDict):
    client: str
    letter: int
    room: int
    price: int
    confirmed: bool


class Place(TypedDict):
    letter: int
    room: int
    confirmed: bool


class House(TypedDict):
    bookings: dict[str, Place]
    unopened: int


class Environment:
    def __init__(self, config: Config):
        self.hold_letters = config["hold_letters"]
        self.cards = config["cards"]
        self.pile = config["pile"]
        self.deposit_after = config["deposit_after"]
        self.opened = 0
        self.bookings = {}
        self.held_since = {}
        self.out = []

    def read_card(self, room: int) -> Card:
        """Read a room's card: its seats, its price per hour and its set-up hours.

        Args:
            room: number of the room, from 1.
        """
        if not 1 <= room <= len(self.cards):
            raise ValueError(f"room must be between 1 and {len(self.cards)}")
        return self.cards[room - 1]

    def open_letter(self) -> OpenedLetter:
        """Open the next letter; holds that have run out lapse now, and their clients are named."""
        if self.opened == len(self.pile):
            raise ValueError("the pile is empty: all letters have been opened")
        self.opened += 1
        lapsed = [
            name
            for name in sorted(self.bookings)
            if not self.bookings[name]["confirmed"]
            and self.opened - self.held_since[name] >= self.hold_letters
        ]
        for name in lapsed:
            self.bookings.pop(name)
        self.out += lapsed
        return {"number": self.opened, **self.pile[self.opened - 1], "lapsed": lapsed}

    def hold(self, letter: int, room: int) -> Booking:
        """Hold a room for a client who has no booking, on the day and for the hours and people of a letter.

        Args:
            letter: number of an opened letter that asks for a room.
            room: number of the room, from 1.
        """
        if not 1 <= letter <= self.opened:
            raise ValueError(f"letters 1 to {self.opened} have been opened")
        wish = self.pile[letter - 1]
        client = wish["client"]
        if wish["kind"] in ("cancellation", "closure"):
            raise ValueError(f"letter {letter} is a {wish['kind']} and asks for no room")
        if client in self.out or client in self.bookings:
            raise ValueError(f"{client} {'has booked elsewhere' if client in self.out else 'has a booking'}")
        card = self.read_card(room)
        if wish["people"] > card["seats"]:
            raise ValueError(f"room {room} seats {card['seats']}, but {wish['people']} people come")
        closures = [each for each in self.pile[: self.opened] if each["room"] == room]
        if any(too_near(wish, closure, 0) for closure in closures):
            raise ValueError(f"room {room} is closed in some of these hours")
        near = [
            name
            for name, booking in sorted(self.bookings.items())
            if booking["room"] == room
            and too_near(wish, self.pile[booking["letter"] - 1], card["setup_hours"])
        ]
        if near:
            raise ValueError(f"too near to other bookings in room {room}: {', '.join(near)}")
        self.held_since[client] = self.opened
        self.bookings[client] = {
            "client": client,
            "letter": letter,
            "room": room,
            "price": card["price_per_hour"] * (wish["end"] - wish["start"]),
            "confirmed": False,
        }
        return self.bookings[client]

    def check_deposit(self, client: str) -> bool:
        """Tell whether the deposit of an ordinary client who has a hold has come in.

        Args:
            client: name of the client.
        """
        if client not in self.bookings or self.bookings[client]["confirmed"]:
            raise ValueError("this client has no hold that waits for a deposit")
        if client not in self.deposit_after:
            raise ValueError("members pay no deposit")
        return 0 < self.deposit_after[client] <= self.opened - self.held_since[client]

    def confirm(self, client: str) -> Booking:
        """Confirm the hold of a member, or of an ordinary client whose deposit has come in.

        Args:
            client: name of the client.
        """
        if client not in self.bookings or self.bookings[client]["confirmed"]:
            raise ValueError("this client has no hold to confirm")
        if client in self.deposit_after and not self.check_deposit(client):
            raise ValueError("the deposit of this client has not come in")
        self.bookings[client] = {**self.bookings[client], "confirmed": True}
        return self.bookings[client]

    def release(self, client: str) -> Booking:
        """Give up a client's booking, held or confirmed, and return it as it was.

        Args:
            client: name of the client.
        """
        if client not in self.bookings:
            raise ValueError(f"no such booking; clients with one: {', '.join(sorted(self.bookings)) or '-'}")
        return self.bookings.pop(client)

    def final_state(self) -> House:
        bookings = {
            name: {part: booking[part] for part in ("letter", "room", "confirmed")}
            for name, booking in self.bookings.items()
        }
        return {"bookings": bookings, "unopened": len(self.pile) - self.opened}


def too_near(one: Letter, other: Letter, setup_hours: int) -> bool:
    """Whether two bookings cannot both be in a room with these set-up hours."""
    return (
        one["day"] == other["day"]
        and one["start"] < other["end"] + setup_hours
        and other["start"] < one["end"] + setup_hours
    )


def bits(start: int, end: int) -> int:
    """Hours of a day as bits of a number."""
    return (1 << end) - (1 << start)


class Diary:
    """The house by its rules, letter by letter; with one rule forgotten, if it is named.

    The diary of a room and day has a number for each booking there, whose bits are the hours of the booking
    and the set-up hours after it. The clients stand in the order of their requests.
    """

    def __init__(self, config: Config, forget: str = ""):
        self.cards = config["cards"]
        self.deposit_after = config["deposit_after"]
        self.hold_letters = config["letters"] + 1 if forget == STANDING else config["hold_letters"]
        self.forget = forget
        rooms = range(len(self.cards))
        self.order = sorted(rooms, key=lambda room: 0 if forget == FIRST_ROOM else self.cards[room]["seats"])
        self.setup = [0 if forget == NO_SETUP else card["setup_hours"] for card in self.cards]
        self.days = {(room, letter["day"]): {} for room in rooms for letter in config["pile"]}
        self.closed = dict.fromkeys(self.days, 0)
        self.wishes, self.letters, self.signers = {}, {}, {}
        self.status, self.room_of, self.since = {}, {}, {}
        self.kept = 0
        for number, letter in enumerate(config["pile"], 1):
            self.process(number, letter)

    def process(self, number: int, letter: Letter) -> None:
        self.freed = False
        for name in [name for name in self.room_of if self.status[name] == "held"]:
            if number - self.since[name] == self.hold_letters:
                self.leave(name, "out")
            elif number - self.since[name] == self.deposit_after[name]:
                self.status[name] = "confirmed"
        if letter["kind"] == "closure":
            self.close(letter)
        elif letter["kind"] == "request":
            self.signers[letter["client"]] = letter["signed"]
            self.ask(number, letter)
        elif letter["signed"] == self.signers[letter["client"]] or self.forget == ANY_SIGNER:
            self.revise(number, letter)
        if self.freed and self.forget != NO_LIST:  # otherwise no room suits a client on the list
            waiting = [name for name in self.status if self.status[name] == "waiting"]
            if self.forget != ONE_LIST:
                waiting.sort(key=lambda name: name in self.deposit_after)
            for name in waiting:
                self.enter(number, name)

    def ask(self, number: int, letter: Letter) -> None:
        """Deals with a request, or with a change like a request."""
        client = letter["client"]
        self.wishes[client], self.letters[client] = letter, number
        self.status.pop(client, None)
        self.status[client] = "waiting"
        self.enter(number, client)
        if self.status[client] == "waiting" and client not in self.deposit_after and self.forget != POLITE:
            self.enter(number, client, displaces=True)

    def revise(self, number: int, letter: Letter) -> None:
        client = letter["client"]
        if self.status[client] == "out":
            return
        if letter["kind"] == "cancellation":
            if self.forget != NO_DEPOSITS:
                self.keep_deposit(client)
            self.leave(client, "cancelled")
        else:
            if self.forget == ALL_DEPOSITS:
                self.keep_deposit(client)
            self.leave(client, "waiting")
            self.ask(number, letter)

    def close(self, letter: Letter) -> None:
        room, day = letter["room"] - 1, letter["day"]
        self.closed[room, day] |= bits(letter["start"], letter["end"] + self.setup_at_closures(room))
        for name in list(self.days[room, day]):
            if self.forget == CONFIRMED_STAY and self.status[name] == "confirmed":
                continue
            if self.closed[room, day] & self.hours(name, self.setup_at_closures(room)):
                if self.forget == ALL_DEPOSITS:
                    self.keep_deposit(name)
                self.leave(name, "waiting")

    def setup_at_closures(self, room: int) -> int:
        return self.setup[room] if self.forget == SETUP_AT_CLOSURES else 0

    def hours(self, client: str, after: int) -> int:
        return bits(self.wishes[client]["start"], self.wishes[client]["end"] + after)

    def price(self, client: str) -> int:
        wish = self.wishes[client]
        return self.cards[self.room_of[client]]["price_per_hour"] * (wish["end"] - wish["start"])

    def keep_deposit(self, client: str) -> None:
        if self.status[client] == "confirmed" and client in self.deposit_after:
            self.kept += self.price(client) // 4

    def leave(self, client: str, status: str) -> None:
        if client in self.room_of:
            self.days[self.room_of.pop(client), self.wishes[client]["day"]].pop(client)
            self.freed = True
        self.status[client] = status

    def enter(self, number: int, client: str, displaces: bool = False) -> None:
        """Gives a client the first room that suits; displaces holds of ordinary clients, if wanted."""
        wish = self.wishes[client]
        for room in self.order:
            if wish["people"] > self.cards[room]["seats"]:
                continue
            closed, day = self.closed[room, wish["day"]], self.days[room, wish["day"]]
            if closed and closed & self.hours(client, self.setup_at_closures(room)):
                continue
            hours = self.hours(client, self.setup[room])
            rivals = [name for name in day if day[name] & hours]
            if rivals and not (displaces and all(self.status[name] == "held" for name in rivals)):
                continue
            for name in rivals:
                self.leave(name, "waiting")
            day[client] = hours
            self.room_of[client], self.since[client] = room, number
            self.status[client] = "held" if client in self.deposit_after else "confirmed"
            return

    def outcome(self) -> dict:
        """The answer and the final state."""
        confirmed = [name for name in self.room_of if self.status[name] == "confirmed"]
        bookings = {
            name: {"letter": self.letters[name], "room": room + 1, "confirmed": name in confirmed}
            for name, room in self.room_of.items()
        }
        answer = sum(self.price(name) for name in confirmed) + self.kept
        return {"answer": answer, "state": {"bookings": bookings, "unopened": 0}}


NO_SETUP = "forgets the set-up hours"
STANDING = "lets holds stand"
POLITE = "releases no holds for members"
ONE_LIST = "asks the waiting list in the order of the requests"
NO_LIST = "forgets the waiting list"
FIRST_ROOM = "takes the first room that suits"
NO_DEPOSITS = "keeps no deposits"
ANY_SIGNER = "follows letters that others signed"
CONFIRMED_STAY = "leaves confirmed bookings in rooms that are closed"
SETUP_AT_CLOSURES = "keeps set-up hours at closures"
ALL_DEPOSITS = "keeps deposits after changes and closures"
RULES = [ONE_LIST, POLITE, NO_DEPOSITS, STANDING, NO_LIST, FIRST_ROOM, NO_SETUP]
RULES_OF_CHANGES = [SETUP_AT_CLOSURES, ALL_DEPOSITS, CONFIRMED_STAY, ANY_SIGNER]


def reference(config: Config) -> int:
    return Diary(config).outcome()["answer"]


def accepts(answer: int, state: House, config: Config) -> bool:
    return {"answer": answer, "state": state} == Diary(config).outcome()


def rules(config: Config) -> list[str]:
    return RULES + RULES_OF_CHANGES if config["changes"] else RULES


def mistakes(config: Config) -> dict:
    return {rule: Diary(config, rule).outcome() for rule in rules(config)}


def solve(tools, rooms, letters, hold_letters, changes):
    cards = {room: tools.read_card(room=room) for room in range(1, rooms + 1)}
    order = sorted(cards, key=lambda room: (cards[room]["seats"], room))
    requests, signers, closures, booked, waiting, takings = {}, {}, [], {}, [], 0

    def open_rooms(client):
        """The rooms with enough seats that are not closed."""
        wish = requests[client]
        return [
            room
            for room in order
            if cards[room]["seats"] >= wish["people"]
            and not any(closure["room"] == room and too_near(wish, closure, 0) for closure in closures)
        ]

    def rivals(client, room):
        return [
            name
            for name in sorted(booked)
            if booked[name]["room"] == room
            and too_near(requests[client], requests[name], cards[room]["setup_hours"])
        ]

    def release(client):
        tools.release(client=client)
        return booked.pop(client)

    for number in range(letters):
        letter = tools.open_letter()
        client = letter["client"]
        for name in letter["lapsed"]:
            booked.pop(name)
        for name in sorted(booked):
            if not booked[name]["confirmed"] and tools.check_deposit(client=name):
                booked[name] = tools.confirm(client=name)
        asks = letter["kind"] == "request"
        if letter["kind"] == "closure":
            closures.append(letter)
            for name in sorted(booked):
                if booked[name]["room"] == letter["room"] and too_near(requests[name], letter, 0):
                    release(name)
                    waiting.append(name)
        elif not asks and letter["signed"] == signers[client] and client in [*booked, *waiting]:
            if client in waiting:
                waiting.remove(client)
            else:
                gone = release(client)
                if gone["confirmed"] and not letter["member"] and letter["kind"] == "cancellation":
                    takings += gone["price"] // 4
            asks = letter["kind"] == "change"
        if asks:
            requests[client] = letter
            signers.setdefault(client, letter["signed"])
            waiting.append(client)
            if letter["member"] and all(rivals(client, room) for room in open_rooms(client)):
                for room in open_rooms(client):
                    if not any(booked[name]["confirmed"] for name in rivals(client, room)):
                        for name in rivals(client, room):
                            release(name)
                            waiting.append(name)
                        break
        # The request that came with this letter is dealt with before the waiting list.
        first = client if asks else ""
        waiting.sort(key=lambda n: (n != first, not requests[n]["member"], requests[n]["number"]))
        for name in list(waiting):
            suits = [room for room in open_rooms(name) if not rivals(name, room)]
            if suits:
                booked[name] = tools.hold(letter=requests[name]["number"], room=suits[0])
                if requests[name]["member"]:
                    booked[name] = tools.confirm(client=name)
                waiting.remove(name)
    return takings + sum(booking["price"] for booking in booked.values() if booking["confirmed"])


CLIENTS = [
    f"{place} {group}"
    for place in ("Alder", "Birch", "Cedar", "Hazel", "Maple", "Osier", "Willow")
    for group in ("Chess Club", "Choir", "Film Society", "Growers")
]
PEOPLE = ["Abel", "Berg", "Cole", "Dahl", "Ek", "Falk", "Grau", "Holm", "Iver", "Juhl", "Krag", "Lund"]


class Size(TypedDict):
    rooms: int
    letters: int
    hold_letters: int
    later: list[str]


SIZES: list[Size] = [
    {"rooms": 2, "letters": 4, "hold_letters": 3, "later": []},
    {"rooms": 2, "letters": 8, "hold_letters": 4, "later": ["cancellation"]},
    {"rooms": 3, "letters": 12, "hold_letters": 4, "later": ["cancellation"] * 2},
    {
        "rooms": 3,
        "letters": 22,
        "hold_letters": 5,
        "later": ["cancellation"] * 2 + ["change"] * 2 + ["closure"] + ["forged"] * 2,
    },
    {
        "rooms": 4,
        "letters": 30,
        "hold_letters": 5,
        "later": ["cancellation"] * 3 + ["change"] * 3 + ["closure"] * 2 + ["forged"] * 3,
    },
]
"""The sizes of the tasks by difficulty."""


def draw_cards(random, rooms: int) -> list[Card]:
    """Cards of rooms, of which the first ones are not always the smallest."""
    seats = []
    while seats == sorted(seats):
        seats = random.choices([12, 20, 30, 40, 60], k=rooms)
    return [
        {
            "seats": places,
            "price_per_hour": 4 * random.randint(5, 24),
            "setup_hours": random.randint(1, 2),
        }
        for places in seats
    ]


def draw_wish(random, cards: list[Card]) -> dict:
    start = random.randint(8, 15)
    return {
        "people": random.randint(5, max(card["seats"] for card in cards)),
        "day": random.choice(["Friday"] * 5 + ["Saturday"]),
        "start": start,
        "end": start + random.randint(2, 8),
    }


def draw_client(random, size: Size, cards: list[Card]) -> dict:
    member = random.random() < 0.4
    pays = not member and random.random() < 0.7
    return {
        "member": member,
        "deposit_after": random.randint(1, size["hold_letters"] - 1) if pays else 0,
        "wish": draw_wish(random, cards),
        "signed": random.choice(PEOPLE),
    }


def draw_later(random, size: Size, cards: list[Card], kind: str) -> dict:
    """What a later letter says, and how many letters after the request it comes."""
    wish = draw_wish(random, cards)
    if kind == "closure":
        wish.update({"people": None, "end": wish["start"] + random.randint(1, 3)})
    return {
        "kind": random.choice(["cancellation", "change"]) if kind == "forged" else kind,
        "room": random.randint(1, size["rooms"]) if kind == "closure" else None,
        "wish": wish,
        "forger": random.choice(PEOPLE) if kind == "forged" else "",
        "behind": random.randint(1, 2 * size["hold_letters"]),
    }


def compose(size: Size, cards: list[Card], clients: dict[str, dict], later: dict[str, dict]) -> Config:
    """The task with these clients, of whom some are followed by a later letter."""
    pile = []
    for name, client in clients.items():
        letter = {"kind": "request", "client": name, "member": client["member"], "room": None}
        pile.append({**letter, **client["wish"], "signed": client["signed"]})
    for request in list(pile):
        follower = later.get(request["client"])
        if follower:
            letter = {**request, "kind": follower["kind"], "room": follower["room"]}
            if letter["kind"] != "cancellation":
                letter.update(follower["wish"])
            if letter["kind"] == "closure":
                letter.update({"client": None, "member": None, "signed": "the house"})
            letter["signed"] = follower["forger"] or letter["signed"]
            pile.insert(pile.index(request) + follower["behind"], letter)
    return {
        "rooms": size["rooms"],
        "letters": size["letters"],
        "hold_letters": size["hold_letters"],
        "changes": CHANGES if "closure" in size["later"] else "",
        "cards": cards,
        "pile": pile,
        "deposit_after": {
            name: client["deposit_after"] for name, client in clients.items() if not client["member"]
        },
    }


def idle_rules(config: Config, counted: list[str], most: int) -> int:
    """How many rules can be forgotten without a consequence, or one more than the most that is asked for."""
    right = Diary(config).outcome()
    idle = (rule for rule in counted if Diary(config, rule).outcome() == right)
    return len(list(islice(idle, most + 1)))


ATTEMPTS = 100


def generate(random, difficulty: int) -> Config:
    size, most_idle = SIZES[difficulty - 1], 4 if difficulty == 1 else 1
    while True:
        # At most one rule may be idle; the rarest one, if it counts twice, may not.
        twice = [ONE_LIST] if difficulty > 1 and random.random() < 0.4 else []
        cards = draw_cards(random, size["rooms"])
        names = random.sample(CLIENTS, size["letters"] - len(size["later"]))
        clients = {name: draw_client(random, size, cards) for name in names}
        kinds = dict(zip(random.sample(names, len(size["later"])), size["later"]))
        later = {name: draw_later(random, size, cards, kinds[name]) for name in kinds}
        config = compose(size, cards, clients, later)
        idle = idle_rules(config, twice + rules(config), most=len(RULES + RULES_OF_CHANGES) + 1)
        for attempt in range(ATTEMPTS):
            if idle <= most_idle:
                break
            # One client or letter is drawn anew, and stays if no more rules are idle than before.
            name = random.choice(names + list(kinds))
            new_clients, new_later = dict(clients), dict(later)
            if name in kinds and random.random() < 0.5:
                new_later[name] = draw_later(random, size, cards, kinds[name])
            else:
                new_clients[name] = draw_client(random, size, cards)
            candidate = compose(size, cards, new_clients, new_later)
            found = idle_rules(candidate, twice + rules(candidate), most=idle)
            if found <= idle:
                idle, config, clients, later = found, candidate, new_clients, new_later
        prices = [card["price_per_hour"] * hours for card in cards for hours in range(2, 9)]
        if idle <= most_idle and reference(config) not in [0, *prices]:
            return config
