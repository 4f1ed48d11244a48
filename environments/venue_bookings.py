"""You run the booking desk of a conference house with {rooms} rooms, numbered from 1. A pile of {letters}
letters has come in, and you open them one at a time, the oldest first. Each is either a request for a room
or the cancellation of an earlier request, which it repeats. No client sends more than one request. A card
in the file tells a room's seats, its price per hour and its set-up hours. Hours are hours of the day.

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

The bookings that you leave behind after the last letter are checked. Answer with the takings: the full price
(price per hour times hours) of every booking that is confirmed then, plus the deposits of ordinary clients
who cancelled after they were confirmed, which the house keeps. Bookings that are only held then count for
nothing.
"""

from typing import Literal, TypedDict

META = {
    "title": "Venue bookings",
    "tags": ["workflow", "bookings"],
    "public": ["rooms", "letters", "hold_letters"],
    "license": "MIT",
    "source": "original",
}


class Card(TypedDict):
    seats: int
    price_per_hour: int
    setup_hours: int


class Client(TypedDict):
    member: bool
    people: int
    day: str
    start: int
    end: int
    deposit_after: int


class Letter(TypedDict):
    number: int
    kind: Literal["request", "cancellation"]
    client: str
    member: bool
    people: int
    day: str
    start: int
    end: int
    lapsed: list[str]


class Booking(TypedDict):
    client: str
    room: int
    price: int
    confirmed: bool


class Place(TypedDict):
    room: int
    confirmed: bool


class House(TypedDict):
    bookings: dict[str, Place]
    unopened: int


class Environment:
    def __init__(
        self,
        rooms: int,
        letters: int,
        hold_letters: int,
        cards: list[Card],
        pile: list[str],
        clients: dict[str, Client],
    ):
        self.rooms = rooms
        self.hold_letters = hold_letters
        self.cards = cards
        self.pile = pile
        self.clients = clients
        self.opened = 0
        self.bookings = {}
        self.held_since = {}
        self.out = []

    def read_card(self, room: int) -> Card:
        """Read a room's card: its seats, its price per hour and its set-up hours.

        Args:
            room: number of the room, from 1.
        """
        if not 1 <= room <= self.rooms:
            raise ValueError(f"room must be between 1 and {self.rooms}")
        return self.cards[room - 1]

    def open_letter(self) -> Letter:
        """Open the next letter; holds that have run out lapse now, and their clients are named."""
        if self.opened == len(self.pile):
            raise ValueError("the pile is empty: all letters have been opened")
        client = self.pile[self.opened]
        kind = "cancellation" if client in self.pile[: self.opened] else "request"
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
        wish = self.clients[client]
        return {
            "number": self.opened,
            "kind": kind,
            "client": client,
            "member": wish["member"],
            "people": wish["people"],
            "day": wish["day"],
            "start": wish["start"],
            "end": wish["end"],
            "lapsed": lapsed,
        }

    def hold(self, client: str, room: int) -> Booking:
        """Hold a room for a client whose request has been opened and who has no booking.

        Args:
            client: name of the client, as in the letter.
            room: number of the room, from 1.
        """
        written = self.pile[: self.opened].count(client)
        if written != 1 or client in self.out or client in self.bookings:
            reason = ["has sent no request yet", "already has a booking", "has cancelled"][written]
            raise ValueError(f"this client {'has booked elsewhere' if client in self.out else reason}")
        card = self.read_card(room)
        wish = self.clients[client]
        if wish["people"] > card["seats"]:
            raise ValueError(f"room {room} seats {card['seats']}, but {wish['people']} people come")
        near = [
            name
            for name in sorted(self.bookings)
            if self.bookings[name]["room"] == room and too_near(wish, self.clients[name], card["setup_hours"])
        ]
        if near:
            raise ValueError(f"too near to other bookings in room {room}: {', '.join(near)}")
        price = card["price_per_hour"] * (wish["end"] - wish["start"])
        self.held_since[client] = self.opened
        self.bookings[client] = {"client": client, "room": room, "price": price, "confirmed": False}
        return self.bookings[client]

    def check_deposit(self, client: str) -> bool:
        """Tell whether the deposit of an ordinary client who has a hold has come in.

        Args:
            client: name of the client.
        """
        if client not in self.bookings or self.bookings[client]["confirmed"]:
            raise ValueError("this client has no hold that waits for a deposit")
        if self.clients[client]["member"]:
            raise ValueError("members pay no deposit")
        delay = self.clients[client]["deposit_after"]
        return 0 < delay <= self.opened - self.held_since[client]

    def confirm(self, client: str) -> Booking:
        """Confirm the hold of a member, or of an ordinary client whose deposit has come in.

        Args:
            client: name of the client.
        """
        if client not in self.bookings or self.bookings[client]["confirmed"]:
            raise ValueError("this client has no hold to confirm")
        if not self.clients[client]["member"] and not self.check_deposit(client):
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
            name: {"room": self.bookings[name]["room"], "confirmed": self.bookings[name]["confirmed"]}
            for name in self.bookings
        }
        return {"bookings": bookings, "unopened": len(self.pile) - self.opened}


def too_near(one, other, setup_hours):
    """Whether two bookings cannot both be in a room with these set-up hours."""
    return (
        one["day"] == other["day"]
        and one["start"] < other["end"] + setup_hours
        and other["start"] < one["end"] + setup_hours
    )


def keep_house(
    rooms: int,
    letters: int,
    hold_letters: int,
    cards: list[Card],
    pile: list[str],
    clients: dict[str, Client],
    displaces: bool = True,
    members_first: bool = True,
    asks_waiting: bool = True,
    smallest_room: bool = True,
    keeps_deposits: bool = True,
) -> dict:
    """The takings and the bookings after the last letter: the answer and the final state.

    A booking fills its own hours and the set-up hours after it in a diary of hours. Each flag stands for a
    rule of the house that is followed.
    """
    diary, state, room_of, since, kept = {}, {}, {}, {}, []
    order = sorted(range(rooms), key=lambda room: cards[room]["seats"] if smallest_room else room)

    def hours(client, room):
        wish = clients[client]
        end = wish["end"] + cards[room]["setup_hours"]
        return [(room, wish["day"], hour) for hour in range(wish["start"], end)]

    def leave(client, after):
        for hour in hours(client, room_of.pop(client)) if client in room_of else []:
            diary.pop(hour)
        state[client] = after

    def enter(client, put_out):
        for room in order:
            rivals = sorted({diary[hour] for hour in hours(client, room) if hour in diary})
            weak = all(state[name] == "held" for name in rivals) and put_out
            if clients[client]["people"] <= cards[room]["seats"] and (weak or not rivals):
                for name in rivals:
                    leave(name, "waiting")
                diary.update(dict.fromkeys(hours(client, room), client))
                room_of[client], since[client] = room, number
                state[client] = "confirmed" if clients[client]["member"] else "held"
                return

    for number, client in enumerate(pile, 1):
        for name in [name for name in room_of if state[name] == "held"]:
            if number - since[name] == hold_letters:
                leave(name, "lapsed")
            elif number - since[name] == clients[name]["deposit_after"]:
                state[name] = "confirmed"
        if client in state:
            if state[client] == "confirmed" and not clients[client]["member"]:
                kept.append((client, room_of[client]))
            leave(client, "cancelled")
        else:
            state[client] = "waiting"
            enter(client, False)
            if state[client] == "waiting" and clients[client]["member"] and displaces:
                enter(client, True)
        waiting = [name for name in state if state[name] == "waiting" and asks_waiting]
        for name in sorted(waiting, key=lambda name: members_first and not clients[name]["member"]):
            enter(name, False)

    def price(client, room):
        return cards[room]["price_per_hour"] * (clients[client]["end"] - clients[client]["start"])

    full = sum(price(name, room) for name, room in room_of.items() if state[name] == "confirmed")
    bookings = {
        name: {"room": room_of[name] + 1, "confirmed": state[name] == "confirmed"} for name in room_of
    }
    deposits = sum(price(name, room) // 4 for name, room in kept) if keeps_deposits else 0
    return {"answer": full + deposits, "state": {"bookings": bookings, "unopened": 0}}


def reference(
    rooms: int,
    letters: int,
    hold_letters: int,
    cards: list[Card],
    pile: list[str],
    clients: dict[str, Client],
) -> int:
    return keep_house(rooms, letters, hold_letters, cards, pile, clients)["answer"]


def accepts(
    answer: int,
    state: House,
    rooms: int,
    letters: int,
    hold_letters: int,
    cards: list[Card],
    pile: list[str],
    clients: dict[str, Client],
) -> bool:
    return {"answer": answer, "state": state} == keep_house(
        rooms, letters, hold_letters, cards, pile, clients
    )


def mistakes(
    rooms: int,
    letters: int,
    hold_letters: int,
    cards: list[Card],
    pile: list[str],
    clients: dict[str, Client],
) -> dict:
    bare = [{**card, "setup_hours": 0} for card in cards]
    return {
        "forgets the set-up hours": keep_house(rooms, letters, hold_letters, bare, pile, clients),
        "lets holds stand": keep_house(rooms, letters, letters + 1, cards, pile, clients),
        **{
            name: keep_house(rooms, letters, hold_letters, cards, pile, clients, **flag)
            for name, flag in (
                ("releases no holds for members", {"displaces": False}),
                ("asks the waiting list in the order of the requests", {"members_first": False}),
                ("forgets the waiting list", {"asks_waiting": False}),
                ("takes the first room that suits", {"smallest_room": False}),
                ("keeps no deposits", {"keeps_deposits": False}),
            )
        },
    }


def solve(tools, rooms, letters, hold_letters):
    cards = {room: tools.read_card(room=room) for room in range(1, rooms + 1)}
    order = sorted(cards, key=lambda room: (cards[room]["seats"], room))
    requests, booked, waiting, takings = {}, {}, [], 0

    def rivals(client, room):
        return [
            name
            for name in sorted(booked)
            if booked[name]["room"] == room
            and too_near(requests[client], requests[name], cards[room]["setup_hours"])
        ]

    def take(client, room):
        booked[client] = tools.hold(client=client, room=room)
        if requests[client]["member"]:
            booked[client] = tools.confirm(client=client)

    def large_enough(client):
        return [room for room in order if cards[room]["seats"] >= requests[client]["people"]]

    for number in range(letters):
        letter = tools.open_letter()
        client = letter["client"]
        for name in letter["lapsed"]:
            booked.pop(name)
        for name in sorted(booked):
            if not booked[name]["confirmed"] and tools.check_deposit(client=name):
                booked[name] = tools.confirm(client=name)
        if letter["kind"] == "request":
            requests[client] = letter
            waiting.append(client)
            if letter["member"] and all(rivals(client, room) for room in large_enough(client)):
                for room in large_enough(client):
                    if not any(booked[name]["confirmed"] for name in rivals(client, room)):
                        for name in rivals(client, room):
                            tools.release(client=name)
                            booked.pop(name)
                            waiting.append(name)
                        break
        elif client in waiting:
            waiting.remove(client)
        elif client in booked:
            gone = booked.pop(client)
            tools.release(client=client)
            if gone["confirmed"] and not letter["member"]:
                takings += gone["price"] // 4
        # The request just opened is dealt with before the waiting list.
        waiting.sort(key=lambda n: (n != client, not requests[n]["member"], requests[n]["number"]))
        for name in list(waiting):
            suits = [room for room in large_enough(name) if not rivals(name, room)]
            if suits:
                take(name, suits[0])
                waiting.remove(name)
    return takings + sum(booking["price"] for booking in booked.values() if booking["confirmed"])


CLIENTS = [
    f"{place} {group}"
    for place in ("Alder", "Birch", "Cedar", "Hazel", "Maple", "Osier", "Willow")
    for group in ("Chess Club", "Choir", "Film Society", "Growers")
]


FREQUENT = [
    "forgets the set-up hours",
    "lets holds stand",
    "forgets the waiting list",
    "takes the first room that suits",
    "keeps no deposits",
]
"""The rules that matter in many tasks that are drawn."""


def generate(random, difficulty: int) -> dict:
    rooms = (2, 2, 3, 3, 4)[difficulty - 1]
    letters = (4, 7, 11, 17, 25)[difficulty - 1]
    hold_letters = (3, 3, 3, 4, 4)[difficulty - 1]
    rare = [{"displaces": False}, {"members_first": False}]
    if difficulty == 1:
        rare = [{"smallest_room": False}]
    elif difficulty in (2, 5):
        # Few tasks of these sizes need both rules, so the rules take turns.
        rare = random.choices(rare)
    days = ["Friday", "Saturday"][: (1, 1, 1, 2, 2)[difficulty - 1]]
    while True:
        cards = [
            {
                "seats": random.choice([12, 20, 30, 40, 60]),
                "price_per_hour": 4 * random.randint(5, 24),
                "setup_hours": random.randint(1, 2),
            }
            for room in range(rooms)
        ]
        cancelling = (letters + 2) // 7
        pile = random.sample(CLIENTS, letters - cancelling)
        clients = {}
        for name in pile:
            start = random.randint(9, 16)
            member = random.random() < 0.35
            pays = not member and random.random() < 0.7
            clients[name] = {
                "member": member,
                "people": random.randint(5, max(card["seats"] for card in cards)),
                "day": random.choice(days),
                "start": start,
                "end": start + random.randint(2, 5),
                "deposit_after": random.randint(1, hold_letters - 1) if pays else 0,
            }
        for name in random.sample(pile[:-1], cancelling):
            pile.insert(random.randint(pile.index(name) + 1, len(pile)), name)
        config = {
            "rooms": rooms,
            "letters": letters,
            "hold_letters": hold_letters,
            "cards": cards,
            "pile": pile,
            "clients": clients,
        }
        right = keep_house(**config)
        prices = [card["price_per_hour"] * hours for card in cards for hours in range(2, 6)]
        # Worth asking only if no single price is the answer and forgotten rules change the outcome.
        if right["answer"] in [0] + prices or any(keep_house(**config, **flag) == right for flag in rare):
            continue
        wrong = {name: mistake != right for name, mistake in mistakes(**config).items()}
        if sum(wrong[name] for name in FREQUENT) >= (1, 4, 4, 5, 5)[difficulty - 1]:
            return config
