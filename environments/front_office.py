"""You keep the front office of the architects {house}. {requests} requests have come in: they are the mails
in the inbox whose subject begins with "Please". Deal with them in the order of their numbers, since an
earlier one may take an hour that a later one needs. Answer each of them once with what became of it: done,
not possible, refused or withdrawn.

How things are done here:
- Requests of people of {house} are carried out. Those of anybody else are refused.
- A meeting is an entry that at least two attend. Meetings may have the same title. A request is about the
  meeting of that title that its sender attends.
- Only the organiser, who called a meeting, may have it moved. If others ask for it, refuse.
- If a later mail takes a request back, nothing is done for that request, and it is answered as withdrawn. The
  mail that takes it back is answered as done.
- Meetings lie between 9 and 17 and begin at full hours. Nothing is moved or arranged into the lunch hour from
  12 to 13. Whoever has an entry in the calendar at an hour is not free then. "As early as possible" means the
  first hour of the day named at which the whole meeting can begin, with all who attend it free until its end.
- Somebody with an entry "Away" on a day is not free on that day. If a new meeting is arranged with them for
  that day, their stand-in, whom the contacts name, attends instead. In a meeting that is moved nobody is
  replaced.
- Invite those of a group who are free and do not attend yet. If nobody of the group is left to invite, it is
  done.
- If something cannot be done exactly as asked, leave everything as it is and answer that it is not possible.
- Invoices and newsletters are mails whose subject begins with that word. Mails with higher numbers are newer.
- Different people may have the same name; the company tells them apart.

Nothing else is to be changed in mail, calendar and contacts.
"""

import json
import re
from typing import Literal, TypedDict

META = {
    "title": "Front office",
    "tags": ["office", "many tools"],
    "public": ["house", "requests"],
    "license": "MIT",
    "source": "original",
}

PAGE = 6
OPENS, LUNCH, CLOSES = 9, 12, 17
DAYS = [f"{n} March" for n in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20)]


class Contact(TypedDict):
    name: str
    company: str
    phone: str
    groups: list[str]
    stand_in: str


class Event(TypedDict):
    title: str
    day: str
    start: int
    end: int
    organiser: str
    attendees: list[str]
    room: str


class Room(TypedDict):
    room: str
    seats: int


class Mail(TypedDict):
    mail: str
    sender: str
    company: str
    subject: str
    body: str
    folder: str


class Request(TypedDict):
    mail: str
    kind: str
    what: str
    who: str
    company: str
    where: str
    day: str
    hours: int


class Config(TypedDict):
    house: str
    requests: int
    contacts: list[Contact]
    events: list[Event]
    rooms: list[Room]
    mails: list[Mail]
    folders: list[str]
    asked: list[Request]


class MailLine(TypedDict):
    mail: str
    sender: str
    company: str
    subject: str
    folder: str


class Inbox(TypedDict):
    mails: list[MailLine]
    next_cursor: int | None


class EventLine(TypedDict):
    event: str
    title: str
    day: str
    start: int
    end: int


class FoundContact(TypedDict):
    contact: str
    name: str
    company: str
    phone: str
    groups: list[str]
    stand_in: str


class Sent(TypedDict):
    to: str
    subject: str
    mail: str


class State(TypedDict):
    events: list[Event]
    contacts: list[Contact]
    folders: dict[str, str]
    sent: list[Sent]
    answers: dict[str, str]


class Environment:
    def __init__(self, config: Config):
        self.rooms = {room["room"]: room["seats"] for room in config["rooms"]}
        self.folders = config["folders"]
        self.mails = {mail["mail"]: mail for mail in config["mails"]}
        self.events = {f"E{number}": event for number, event in enumerate(config["events"], 1)}
        self.contacts = {f"C{number}": contact for number, contact in enumerate(config["contacts"], 1)}
        self.people = [each["name"] for each in config["contacts"] if each["company"] == config["house"]]
        self.groups = sorted({group for each in config["contacts"] for group in each["groups"]})
        self.added = 0
        self.sent = []
        self.answers = {}

    def list_inbox(self, cursor: int) -> Inbox:
        """List the mails in the inbox, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        found = [mail_line(mail) for mail in self.mails.values() if mail["folder"] == "inbox"]
        if not 0 <= cursor <= len(found):
            raise ValueError("cursor must be 0 or the next cursor of a page")
        more = cursor + PAGE < len(found)
        return {"mails": found[cursor : cursor + PAGE], "next_cursor": cursor + PAGE if more else None}

    def read_mail(self, mail: str) -> Mail:
        """Read a mail.

        Args:
            mail: number of the mail.
        """
        return known(self.mails, mail, "mail")

    def search_mails(self, words: str) -> list[MailLine]:
        """Find the mails in all folders with these words in sender, company or subject; ten at most.

        Args:
            words: what to look for.
        """
        lines = [mail_line(mail) for mail in self.mails.values()]
        return [e for e in lines if matches(words, e["sender"], e["company"], e["subject"])][-10:]

    def forward_mail(self, mail: str, to: str) -> int:
        """Forward a mail to a contact; returns how many mails have been sent.

        Args:
            mail: number of the mail.
            to: name of the contact.
        """
        known(self.mails, mail, "mail")
        return add_sent(self, to, "", mail)

    def send_mail(self, to: str, subject: str) -> int:
        """Send a contact a short mail that has a subject only; returns how many mails have been sent.

        Args:
            to: name of the contact.
            subject: the subject, up to 80 characters.
        """
        if len(subject) > 80:
            raise ValueError("the subject has more than 80 characters")
        return add_sent(self, to, subject, "")

    def answer_request(
        self, mail: str, outcome: Literal["done", "not possible", "refused", "withdrawn"]
    ) -> str:
        """Answer a request for good.

        Args:
            mail: number of the mail with the request.
            outcome: what became of it.
        """
        if mail in self.answers:
            raise ValueError("this mail has been answered already")
        self.answers[known(self.mails, mail, "mail")["mail"]] = outcome
        return f"Answered to {self.mails[mail]['sender']}: {outcome}."

    def list_folders(self) -> list[str]:
        """List the folders of the mailbox; deleted mails are in the folder "deleted"."""
        return ["inbox", "deleted", *self.folders]

    def move_mail(self, mail: str, folder: str) -> MailLine:
        """Move a mail to another folder.

        Args:
            mail: number of the mail.
            folder: name of the folder.
        """
        if folder not in self.list_folders():
            raise ValueError("there is no such folder; list_folders gives the names")
        known(self.mails, mail, "mail")["folder"] = folder
        return mail_line(self.mails[mail])

    def delete_mail(self, mail: str) -> MailLine:
        """Delete a mail.

        Args:
            mail: number of the mail.
        """
        known(self.mails, mail, "mail")["folder"] = "deleted"
        return mail_line(self.mails[mail])

    def search_events(self, words: str) -> list[EventLine]:
        """Find calendar entries with these words in the title; ten at most.

        Args:
            words: what to look for.
        """
        found = [number for number, event in self.events.items() if matches(words, event["title"])]
        return [event_line(number, self.events[number]) for number in found[:10]]

    def read_event(self, event: str) -> Event:
        """Read a calendar entry; an empty room means none.

        Args:
            event: number of the entry.
        """
        return known(self.events, event, "calendar entry")

    def list_day(self, who: str, day: str) -> list[EventLine]:
        """List the entries of a colleague or a room on a day.

        Args:
            who: name of a colleague or of a room.
            day: the day, such as 2 March.
        """
        if who not in self.people and who not in self.rooms:
            raise ValueError("there is no calendar of this name")
        check_day(day)
        found = [n for n, e in self.events.items() if e["day"] == day and takes_part(e, who)]
        return [event_line(number, self.events[number]) for number in found]

    def move_event(self, event: str, day: str, start: int) -> Event:
        """Move a calendar entry; it keeps its length.

        Args:
            event: number of the entry.
            day: the new day, such as 2 March.
            start: the hour at which it begins.
        """
        found = known(self.events, event, "calendar entry")
        hours = found["end"] - found["start"]
        check_time(day, start, hours)
        found.update({"day": day, "start": start, "end": start + hours})
        return found

    def create_event(
        self, title: str, day: str, start: int, hours: int, organiser: str, others: list[str]
    ) -> str:
        """Put a meeting into the calendar; returns its number.

        Args:
            title: its title, up to 80 characters.
            day: the day, such as 2 March.
            start: the hour at which it begins.
            hours: how many hours it takes, 1 to 8.
            organiser: the colleague who calls it and attends it.
            others: the other colleagues who attend it.
        """
        check_time(day, start, hours)
        if len(title) > 80 or any(name not in self.people for name in [organiser, *others]):
            raise ValueError("the title is too long, or somebody is not a colleague")
        number = f"E{len(self.events) + 1}"
        while number in self.events:
            number += "a"
        attendees = sorted({organiser, *others})
        self.events[number] = new_event(title, day, start, start + hours, organiser, attendees)
        return number

    def cancel_event(self, event: str) -> Event:
        """Take an entry off the calendar for good; returns it as it was.

        Args:
            event: number of the entry.
        """
        known(self.events, event, "calendar entry")
        return self.events.pop(event)

    def invite(self, event: str, person: str) -> Event:
        """Add a colleague to those who attend a meeting.

        Args:
            event: number of the meeting.
            person: name of the colleague.
        """
        found = known(self.events, event, "calendar entry")
        if person not in self.people or person in found["attendees"]:
            raise ValueError("this is not a colleague, or somebody who attends already")
        found["attendees"] = sorted([*found["attendees"], person])
        return found

    def remove_attendee(self, event: str, person: str) -> Event:
        """Take somebody off those who attend a meeting.

        Args:
            event: number of the meeting.
            person: name of the colleague.
        """
        found = known(self.events, event, "calendar entry")
        if person not in found["attendees"]:
            raise ValueError("this person does not attend the meeting")
        found["attendees"] = [name for name in found["attendees"] if name != person]
        return found

    def list_rooms(self) -> list[Room]:
        """List the meeting rooms with their seats."""
        return [{"room": name, "seats": self.rooms[name]} for name in sorted(self.rooms)]

    def book_room(self, event: str, room: str) -> Event:
        """Book a room for a meeting, in place of the room that it had.

        Args:
            event: number of the meeting.
            room: name of a room that is free then.
        """
        found = known(self.events, event, "calendar entry")
        seats = known(self.rooms, room, "room")
        others = [each for number, each in self.events.items() if number != event]
        if seats < len(found["attendees"]) or not is_free(others, room, found):
            raise ValueError("this room is too small or not free then")
        found["room"] = room
        return found

    def find_contacts(self, words: str) -> list[FoundContact]:
        """Find contacts with these words in name or company; ten at most.

        Args:
            words: what to look for.
        """
        found = [n for n, each in self.contacts.items() if matches(words, each["name"], each["company"])]
        return [{"contact": number, **self.contacts[number]} for number in found[:10]]

    def add_contact(self, name: str, company: str, phone: str) -> str:
        """Add a contact, in no group; returns its number.

        Args:
            name: the name, up to 80 characters.
            company: the company, up to 80 characters.
            phone: the telephone number, up to 20 characters.
        """
        if len(name) > 80 or len(company) > 80 or len(phone) > 20:
            raise ValueError("name, company or telephone number is too long")
        self.added += 1
        number = f"N{self.added}"
        self.contacts[number] = new_contact(name, company, phone, [])
        return number

    def update_phone(self, contact: str, phone: str) -> FoundContact:
        """Change the telephone number of a contact.

        Args:
            contact: number of the contact.
            phone: the new telephone number, up to 20 characters.
        """
        if len(phone) > 20:
            raise ValueError("the telephone number is too long")
        known(self.contacts, contact, "contact")["phone"] = phone
        return {"contact": contact, **self.contacts[contact]}

    def list_group(self, group: str) -> list[str]:
        """List the names of the contacts in a group.

        Args:
            group: name of the group.
        """
        check_group(self.groups, group)
        return sorted(each["name"] for each in self.contacts.values() if group in each["groups"])

    def add_to_group(self, contact: str, group: str) -> FoundContact:
        """Add a contact to a group that exists.

        Args:
            contact: number of the contact.
            group: name of the group.
        """
        found = known(self.contacts, contact, "contact")
        check_group(self.groups, group)
        if group in found["groups"]:
            raise ValueError("the contact is in this group already")
        found["groups"] = sorted([*found["groups"], group])
        return {"contact": contact, **found}

    def delete_contact(self, contact: str) -> FoundContact:
        """Delete a contact for good; returns it as it was.

        Args:
            contact: number of the contact.
        """
        known(self.contacts, contact, "contact")
        return {"contact": contact, **self.contacts.pop(contact)}

    def final_state(self) -> State:
        world = {
            "events": list(self.events.values()),
            "contacts": list(self.contacts.values()),
            "mails": list(self.mails.values()),
            "sent": self.sent,
            "answers": self.answers,
        }
        return state_of(world)


def known(entries, key, kind):
    if key not in entries:
        raise ValueError(f"there is no such {kind}")
    return entries[key]


def add_sent(office, to, subject, mail):
    if to not in [contact["name"] for contact in office.contacts.values()]:
        raise ValueError("there is no contact of this name")
    office.sent.append({"to": to, "subject": subject, "mail": mail})
    return len(office.sent)


def check_group(groups, group):
    if group not in groups:
        raise ValueError(f"there is no such group; the groups are: {', '.join(groups)}")


def check_day(day):
    if day not in DAYS:
        raise ValueError(
            f'the day must be a working day from {DAYS[0]} to {DAYS[-1]}, written as "{DAYS[0]}"'
        )


def check_time(day, start, hours):
    check_day(day)
    if not (start >= OPENS and hours >= 1 and start + hours <= CLOSES):
        raise ValueError(f"a meeting must lie between {OPENS} and {CLOSES}")


def matches(words, *texts):
    return all(word in " ".join(texts).lower() for word in words.lower().split())


def mail_line(mail):
    return {name: mail[name] for name in ("mail", "sender", "company", "subject", "folder")}


def event_line(number, event):
    return {"event": number, **{name: event[name] for name in ("title", "day", "start", "end")}}


def new_event(title, day, start, end, organiser, attendees):
    return {
        "title": title,
        "day": day,
        "start": start,
        "end": end,
        "organiser": organiser,
        "attendees": attendees,
        "room": "",
    }


def new_contact(name, company, phone, groups):
    return {"name": name, "company": company, "phone": phone, "groups": groups, "stand_in": ""}


def takes_part(event, who):
    return who in event["attendees"] or who == event["room"]


def is_free(events, who, time):
    """Whether a person or a room has no entry that overlaps with a time."""
    return not any(
        takes_part(each, who)
        and each["day"] == time["day"]
        and each["start"] < time["end"]
        and time["start"] < each["end"]
        for each in events
    )


def state_of(world):
    def in_order(entries):
        return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))

    return {
        "events": in_order(world["events"]),
        "contacts": in_order(world["contacts"]),
        "folders": {mail["mail"]: mail["folder"] for mail in world["mails"]},
        "sent": in_order(world["sent"]),
        "answers": world["answers"],
    }


RULES = {
    "works through lunch": ("move", "create"),
    "looks only at who asks": ("move", "create", "invite"),
    "does what strangers ask": ("stranger",),
    "moves meetings of others": ("foreign move",),
    "takes an older mail": ("phone", "double"),
    "takes reminders for invoices": ("forward",),
    "confuses people of one name": ("phone",),
    "confuses meetings of one title": ("move", "note"),
    "moves invoices too": ("file",),
    "does what was taken back": ("take back",),
    "forces what is not possible": ("full day",),
    "forgets stand-ins": ("absence",),
    "takes the last request first": ("shared day",),
}


def own_event(world, title, person, forget=""):
    of_title = [event for event in world["events"] if event["title"] == title]
    own = [event for event in of_title if person in event["attendees"]]
    return (of_title if forget == "confuses meetings of one title" else own)[0]


def first_hour(world, people, day, hours, forget, moved=None):
    others = [event for event in world["events"] if event is not moved]
    for start in range(OPENS, CLOSES - hours + 1):
        time = {"day": day, "start": start, "end": start + hours}
        at_lunch = start <= LUNCH < start + hours and forget != "works through lunch"
        if not at_lunch and all(is_free(others, name, time) for name in people):
            return start
    return OPENS if forget == "forces what is not possible" else None


def sent_last(world, person, company, forget):
    """The telephone number in the newest mail of somebody."""
    own = [mail for mail in world["mails"] if (mail["sender"], mail["company"]) == (person, company)]
    return own[0 if forget == "takes an older mail" else -1]["body"].strip(".").split()[-1]


def do_in_calendar(world, request, person, house, forget):
    kind, title, day = request["kind"], request["what"], request["day"]
    if kind == "clear":
        for event in [each for each in world["events"] if each["day"] == day and person in each["attendees"]]:
            if event["organiser"] == person:
                world["events"].remove(event)
            else:
                event["attendees"] = [name for name in event["attendees"] if name != person]
        return "done"
    if kind == "create":
        away = [
            name
            for each in world["events"]
            if each["title"] == "Away" and each["day"] == day
            for name in each["attendees"]
        ]
        stand_ins = {c["name"]: c["stand_in"] for c in world["contacts"] if c["company"] == house}
        people = [
            stand_ins[name] if name in away and name != person and forget != "forgets stand-ins" else name
            for name in [person, request["who"], request["where"]]
        ]
        asked = people[:1] if forget == "looks only at who asks" else people
        start = first_hour(world, asked, day, request["hours"], forget)
        if start is None:
            return "not possible"
        end = start + request["hours"]
        world["events"].append(new_event(title, day, start, end, person, sorted(set(people))))
        return "done"
    event = own_event(world, title, person, forget)
    if kind == "move":
        if event["organiser"] != person and forget != "moves meetings of others":
            return "refused"
        hours = event["end"] - event["start"]
        people = [person] if forget == "looks only at who asks" else event["attendees"]
        start = first_hour(world, people, day, hours, forget, event)
        if start is None:
            return "not possible"
        event.update({"day": day, "start": start, "end": start + hours})
    elif kind == "note":
        for name in [name for name in event["attendees"] if name != person]:
            world["sent"].append({"to": name, "subject": request["where"], "mail": ""})
    elif kind == "invite":
        for contact in [each for each in world["contacts"] if request["where"] in each["groups"]]:
            name = contact["name"]
            free = is_free(world["events"], name, event) or forget == "looks only at who asks"
            if name not in event["attendees"] and free:
                event["attendees"] = sorted([*event["attendees"], name])
    else:
        others = [each for each in world["events"] if each is not event]
        large = [room for room in world["rooms"] if room["seats"] >= len(event["attendees"])]
        fit = [room for room in large if is_free(others, room["room"], event)]
        if not fit and forget == "forces what is not possible":
            fit = large
        if not fit:
            return "not possible"
        event["room"] = min(fit, key=lambda room: room["seats"])["room"]
    return "done"


def do_in_mail_and_contacts(world, request, forget):
    kind, person, company, place = (request[name] for name in ("kind", "who", "company", "where"))
    received = [mail for mail in world["mails"] if mail["company"] == company]
    if kind == "forward":
        reminders = forget == "takes reminders for invoices"
        invoices = [m for m in received if m["subject"].startswith("Invoice") or reminders]
        world["sent"].append({"to": person, "subject": "", "mail": invoices[-1]["mail"]})
    elif kind == "file":
        for mail in received:
            invoice = mail["subject"].startswith("Invoice") and forget != "moves invoices too"
            if mail["folder"] == "inbox" and not invoice:
                mail["folder"] = place
    elif kind == "clean":
        for mail in received:
            if mail["folder"] == "inbox" and mail["subject"].startswith("Newsletter"):
                mail["folder"] = "deleted"
    elif kind == "add":
        number = sent_last(world, person, company, forget)
        world["contacts"].append(new_contact(person, company, number, [place]))
    else:
        number = sent_last(world, person, company, forget)
        named = [each for each in world["contacts"] if each["name"] == person]
        own = [each for each in named if each["company"] == company]
        if kind == "phone":
            (named if forget == "confuses people of one name" else own)[0]["phone"] = number
        else:
            for contact in [each for each in own if each["phone"] != number]:
                world["contacts"].remove(contact)
    return "done"


IN_CALENDAR = ("move", "create", "clear", "note", "invite", "room")


def expected(config: Config, forget: str = "") -> State:
    """The state that the requests lead to; with one rule forgotten, if it is named."""
    # Entries are changed, but the lists in them are only replaced.
    world = {n: [dict(entry) for entry in config[n]] for n in ("events", "contacts", "rooms", "mails")}
    world["sent"], world["answers"] = [], {}
    mails = {mail["mail"]: mail for mail in config["mails"]}
    subjects = {mail["subject"]: number for number, mail in mails.items()}
    taken_back = [subjects[each["what"]] for each in config["asked"] if each["kind"] == "take back"]
    step = -1 if forget == "takes the last request first" else 1
    for request in config["asked"][::step]:
        mail, kind = mails[request["mail"]], request["kind"]
        if mail["company"] != config["house"] and forget != "does what strangers ask":
            outcome = "refused"
        elif mail["mail"] in taken_back and forget != "does what was taken back":
            outcome = "withdrawn"
        elif kind == "take back":
            outcome = "done"
        elif kind in IN_CALENDAR:
            outcome = do_in_calendar(world, request, mail["sender"], config["house"], forget)
        else:
            outcome = do_in_mail_and_contacts(world, request, forget)
        world["answers"][mail["mail"]] = outcome
    return state_of(world)


def accepts(state: State, config: Config) -> bool:
    return state == expected(config)


def present(config):
    """The kinds of requests that there are, and what is peculiar about them."""
    mails = {mail["mail"]: mail for mail in config["mails"]}
    found = {request["kind"] for request in config["asked"]}
    if any(mails[request["mail"]]["company"] != config["house"] for request in config["asked"]):
        found.add("stranger")
    for request in config["asked"]:
        person = mails[request["mail"]]["sender"]
        if request["kind"] == "move" and own_event(config, request["what"], person)["organiser"] != person:
            found.add("foreign move")
    if "not possible" in expected(config)["answers"].values():
        found.add("full day")
    if any(event["title"] == "Away" for event in config["events"]):
        found.add("absence")
    planned = [request["day"] for request in config["asked"] if request["kind"] in {"move", "create"}]
    if len(set(planned)) < len(planned):
        found.add("shared day")
    return found


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    return {rule: {"state": expected(config, rule)} for rule in rules_for(present(config))}


def rules_for(there) -> list[str]:
    """The rules that matter for such requests."""
    return [rule for rule, kinds in RULES.items() if there.intersection(kinds)]


def texts(request):
    """Subject and body of a request."""
    what, who, company, where = (request[name] for name in ("what", "who", "company", "where"))
    day, hours = request["day"], request["hours"]
    project = where.split(" ", 1)[-1]
    length = "1 hour" if hours == 1 else f"{hours} hours"
    return {
        "move": (
            f"Please move {what}",
            f'Please move the meeting "{what}" to {day}, as early as possible.',
        ),
        "create": (
            f"Please arrange {what}",
            f'Please arrange a meeting "{what}" of {length} with {who} and {where} on {day}, as early '
            "as possible. I call it and attend as well.",
        ),
        "clear": (
            f"Please clear {day}",
            f"I am not in on {day}. Please cancel the meetings that I have called on that day, and take me "
            "off the other ones that I attend.",
        ),
        "note": (
            f"Please write about {what}",
            f'Please write to everybody else who attends "{what}", with the subject "{where}".',
        ),
        "invite": (
            f"Please invite to {what}",
            f'Please invite to "{what}" everybody of the group "{where}" who is free then.',
        ),
        "room": (
            f"Please find a room for {what}",
            f'Please book a room for "{what}": the one with the fewest seats that is free then and has a '
            "seat for everybody who attends.",
        ),
        "forward": (
            f"Please forward an invoice of {company}",
            f"Please forward the newest invoice of {company} to {who}.",
        ),
        "file": (
            f"Please file {company}",
            f"Please move all mails of {company} that are in the inbox, except invoices, to the folder of "
            f"the project {project}.",
        ),
        "clean": (
            f"Please delete the newsletters of {company}",
            f"Please delete the newsletters of {company} that are in the inbox.",
        ),
        "phone": (
            f"Please correct {who}",
            f"{who} of {company} has a new telephone number, see the newest mail from that person. Please "
            "correct the contacts.",
        ),
        "add": (
            f"Please add {who}",
            f"{who} of {company} has written to us. Please add a contact with the telephone number in that "
            f'mail, and put it into the group "{where}".',
        ),
        "double": (
            f"Please tidy up {who}",
            f"{who} of {company} is in the contacts twice. Please delete the one whose telephone number is "
            "not that in the newest mail from that person.",
        ),
        "take back": (
            f"Please forget it: {what}",
            f'Please do nothing about my mail "{what}". The matter is settled.',
        ),
    }[request["kind"]]


PATTERNS = {
    "move": 'move the meeting "(?P<what>.*)" to (?P<day>.*), as early',
    "create": 'meeting "(?P<what>.*)" of (?P<hours>[12]) hours? with (?P<who>.*) and (?P<where>.*) on '
    "(?P<day>.*), as early",
    "clear": "not in on (?P<day>.*?)[.]",
    "note": 'who attends "(?P<what>.*)", with the subject "(?P<where>.*)"',
    "invite": 'invite to "(?P<what>.*)" everybody of the group "(?P<where>.*)"',
    "room": 'book a room for "(?P<what>.*)"',
    "forward": "newest invoice of (?P<company>.*) to (?P<who>.*)[.]",
    "file": "all mails of (?P<company>.*) that are .* project (?P<where>.*)[.]",
    "clean": "the newsletters of (?P<company>.*) that",
    "phone": "(?P<who>.*) of (?P<company>.*) has a new",
    "add": '(?P<who>.*) of (?P<company>.*) has written .* group "(?P<where>.*)"',
    "double": "(?P<who>.*) of (?P<company>.*) is in the contacts twice",
    "take back": 'nothing about my mail "(?P<what>.*)"',
}


def solve(tools, house, requests):
    lines, cursor = [], 0
    while cursor is not None:
        found = tools.list_inbox(cursor=cursor)
        lines += found["mails"]
        cursor = found["next_cursor"]
    asked = []
    for line in [line for line in lines if line["subject"].startswith("Please")]:
        body = tools.read_mail(mail=line["mail"])["body"]
        kind, match = next(
            (kind, re.search(PATTERNS[kind], body)) for kind in PATTERNS if re.search(PATTERNS[kind], body)
        )
        asked.append((line, kind, match.groupdict()))
    taken_back = [words["what"] for line, kind, words in asked if kind == "take back"]
    for line, kind, words in asked:
        if line["company"] != house:
            outcome = "refused"
        elif line["subject"] in taken_back:
            outcome = "withdrawn"
        elif kind in IN_CALENDAR:
            outcome = plan(tools, kind, words, line["sender"])
        else:
            outcome = "done"
            if kind != "take back":
                keep_order(tools, kind, words)
        tools.answer_request(mail=line["mail"], outcome=outcome)


def hour_for_all(tools, people, day, hours, event=None):
    taken = [
        entry for name in people for entry in tools.list_day(who=name, day=day) if entry["event"] != event
    ]
    for start in range(OPENS, CLOSES - hours + 1):
        if not start <= LUNCH < start + hours and all(
            entry["end"] <= start or start + hours <= entry["start"] for entry in taken
        ):
            return start
    return None


def plan(tools, kind, words, person):
    if kind == "clear":
        for entry in tools.list_day(who=person, day=words["day"]):
            if tools.read_event(event=entry["event"])["organiser"] == person:
                tools.cancel_event(event=entry["event"])
            else:
                tools.remove_attendee(event=entry["event"], person=person)
        return "done"
    if kind == "create":
        people = []
        for name in (words["who"], words["where"]):
            titles = [entry["title"] for entry in tools.list_day(who=name, day=words["day"])]
            people.append(tools.find_contacts(words=name)[0]["stand_in"] if "Away" in titles else name)
        hours = int(words["hours"])
        start = hour_for_all(tools, [person, *people], words["day"], hours)
        if start is None:
            return "not possible"
        tools.create_event(
            title=words["what"], day=words["day"], start=start, hours=hours, organiser=person, others=people
        )
        return "done"
    for entry in tools.search_events(words=words["what"]):
        event, number = tools.read_event(event=entry["event"]), entry["event"]
        if person in event["attendees"] and event["title"] == words["what"]:
            break
    if kind == "move":
        if event["organiser"] != person:
            return "refused"
        hours = event["end"] - event["start"]
        start = hour_for_all(tools, event["attendees"], words["day"], hours, number)
        if start is None:
            return "not possible"
        tools.move_event(event=number, day=words["day"], start=start)
    elif kind == "note":
        for name in [name for name in event["attendees"] if name != person]:
            tools.send_mail(to=name, subject=words["where"])
    elif kind == "invite":
        for name in [n for n in tools.list_group(group=words["where"]) if n not in event["attendees"]]:
            taken = tools.list_day(who=name, day=event["day"])
            if all(e["end"] <= event["start"] or event["end"] <= e["start"] for e in taken):
                tools.invite(event=number, person=name)
    else:
        rooms = [room for room in tools.list_rooms() if room["seats"] >= len(event["attendees"])]
        for room in sorted(rooms, key=lambda room: room["seats"]):
            taken = tools.list_day(who=room["room"], day=event["day"])
            if all(e["end"] <= event["start"] or event["end"] <= e["start"] for e in taken):
                tools.book_room(event=number, room=room["room"])
                return "done"
        return "not possible"
    return "done"


def keep_order(tools, kind, words):
    found = [
        mail for mail in tools.search_mails(words=words["company"]) if mail["company"] == words["company"]
    ]
    if kind == "forward":
        invoices = [mail for mail in found if mail["subject"].startswith("Invoice")]
        tools.forward_mail(mail=invoices[-1]["mail"], to=words["who"])
    elif kind == "file":
        folder = next(name for name in tools.list_folders() if name.endswith(f" {words['where']}"))
        for mail in found:
            if mail["folder"] == "inbox" and not mail["subject"].startswith("Invoice"):
                tools.move_mail(mail=mail["mail"], folder=folder)
    elif kind == "clean":
        for mail in found:
            if mail["folder"] == "inbox" and mail["subject"].startswith("Newsletter"):
                tools.delete_mail(mail=mail["mail"])
    else:
        newest = [mail for mail in found if mail["sender"] == words["who"]][-1]
        phone = tools.read_mail(mail=newest["mail"])["body"].strip(".").split()[-1]
        if kind == "add":
            number = tools.add_contact(name=words["who"], company=words["company"], phone=phone)
            tools.add_to_group(contact=number, group=words["where"])
            return
        for contact in tools.find_contacts(words=words["who"]):
            if contact["company"] == words["company"]:
                if kind == "phone":
                    tools.update_phone(contact=contact["contact"], phone=phone)
                elif contact["phone"] != phone:
                    tools.delete_contact(contact=contact["contact"])


COLLEAGUES = "Ada Lindner,Ben Voss,Cleo Haas,David Roth,Elif Kaya,Frieda Ott,Georg Lang,Hanna Weiss".split(
    ","
)
OUTSIDERS = (
    "Ivo Marten,Jana Pohl,Karl Stein,Lena Brock,Milan Ek,Nora Falk,Otto Gries,Paula Dahl,Ralf Toll".split(",")
)
FIRMS = (
    "Anker Glass,Bolt Steel,Cobalt Paints,Dune Stone,Ember Heating,Fjord Timber,Grove Gardens,Hale Lifts,"
    "Iris Light,Jolt Electric,Keel Roofs,Loam Concrete"
).split(",")
TITLES = (
    "Budget talk,Client visit,Facade review,Garden walk,Kitchen plans,Light test,Model viewing,Permit talk,"
    "Roof check,Stair detail,Tender round,Window choice"
).split(",")
CHORES = ("Call", "Drawing hour", "Site visit")
PROJECTS = ("P11 Harbour house", "P14 Town library", "P17 Corner school", "P23 Mill yard")
GROUPS = ("Competition team", "Model team")
ROOMS = [("Attic", 3), ("Garden room", 4), ("Library", 6), ("Studio", 8)]


class Draft:
    """What has been drawn for a task so far."""

    def __init__(self, random, house):
        self.random = random
        self.house = house
        self.people = random.sample(COLLEAGUES, len(COLLEAGUES))
        self.outsiders = random.sample(OUTSIDERS, len(OUTSIDERS))
        self.firms = random.sample(FIRMS, len(FIRMS))
        self.titles = random.sample(TITLES, len(TITLES))
        self.days = random.sample(DAYS, len(DAYS))
        self.events, self.contacts, self.mails, self.asked = [], [], [], []
        for place, name in enumerate(self.people):
            groups = [group for index, group in enumerate(GROUPS) if (place + index) % 2]
            stand_in = self.people[place - 1]
            self.contacts.append({**new_contact(name, house, self.phone(), groups), "stand_in": stand_in})

    def phone(self):
        return f"{self.random.randint(100, 999)}-{self.random.randint(1000, 9999)}"

    def mail(self, sender, company, subject, body):
        self.mails.append([sender, company, subject, body])

    def meeting(self, title, day, people, organiser, hours=1):
        start = self.random.choice([9, 10, 13, 14, 15])
        self.events.append(new_event(title, day, start, start + hours, organiser, sorted(people)))
        return self.events[-1]

    def fill_day(self, day, people, hours, full):
        """Give the people entries; the first of them is free early in the day."""
        busy = [9, 10, 11, *([13] if hours == 1 and self.random.random() < 0.5 else [])]
        if not full and self.random.random() < 0.3:
            busy = [9, 10][:hours]
        for hour in [hour for hour in range(OPENS, CLOSES) if hour != LUNCH] if full else busy:
            name = self.random.choice(people[1:] if hour < OPENS + hours else people)
            self.events.append(new_event(self.random.choice(CHORES), day, hour, hour + 1, name, [name]))


def draw_calendar_request(draft, kind, person, full, absence, foreign, day=""):
    random = draft.random
    title, day = draft.titles.pop(), day or draft.days.pop()
    request = {"kind": kind, "what": title, "who": "", "company": "", "where": "", "day": day, "hours": 0}
    others = random.sample([name for name in draft.people if name != person], 5)
    if kind == "clear":
        request["what"] = ""
        for organiser in random.sample([person, person, others[0], others[1]], 3):
            draft.meeting(title, day, {person, organiser, others[2]}, organiser)
            title = draft.titles.pop()
    elif kind == "create":
        stand_in = next(each["stand_in"] for each in draft.contacts if each["name"] == others[0])
        request.update({"who": others[0], "where": others[1], "hours": random.choice([1, 2])})
        if absence and stand_in not in (person, others[1]):
            draft.events.append(new_event("Away", day, OPENS, CLOSES, others[0], [others[0]]))
            others[0] = stand_in
        draft.fill_day(day, [person, others[0], others[1]], request["hours"], full)
    else:
        when = draft.days.pop()
        if kind in {"move", "note"}:
            draft.meeting(title, when, others[3:], others[3])
        hours = random.choice([1, 2]) if kind == "move" else 1
        people = [person, *others[: 3 if kind == "room" else 2]]
        event = draft.meeting(title, when, people, others[0] if foreign else person, hours)
        if kind == "move":
            draft.fill_day(day, people, hours, full)
        elif kind == "note":
            request["where"] = random.choice(
                ["Bring the plans", "Please be early", "New colours", "Sketches"]
            )
        elif kind == "invite":
            request["where"] = random.choice(GROUPS)
            members = [each["name"] for each in draft.contacts if request["where"] in each["groups"]]
            for name in [name for name in members if name not in people][:2]:
                if random.random() < 0.7:
                    draft.events.append(new_event("Call", when, event["start"], event["end"], name, [name]))
        else:
            taken = [room for room, seats in ROOMS if full or random.random() < 0.4]
            for room in taken:
                entry = new_event("Inspection", when, event["start"], event["end"], others[4], [others[4]])
                draft.events.append({**entry, "room": room})
    return request


def draw_paper_request(draft, kind):
    random, company = draft.random, draft.firms.pop()
    request = {"kind": kind, "what": "", "who": "", "company": company, "where": "", "day": "", "hours": 0}
    if kind in {"forward", "file", "clean"}:
        number = random.randint(10, 90)
        subjects = ["Offer", "Question", f"Invoice {number}", f"Invoice {number + 1}"]
        subjects += ["Newsletter spring", "Newsletter summer"] if kind == "clean" else ["Drawings"]
        random.shuffle(subjects)
        for subject in [*subjects, f"Reminder of invoice {number}"]:
            draft.mail(f"Office of {company}", company, subject, "See attachment.")
        request["who"] = random.choice(draft.people) if kind == "forward" else ""
        request["where"] = random.choice(PROJECTS) if kind == "file" else ""
        return request
    person = request["who"] = draft.outsiders.pop()
    older, newer = draft.phone(), draft.phone()
    if kind == "add":
        request["where"] = "Suppliers"
        draft.mail(person, company, "Our offer", f"Call me at {newer}.")
        return request
    draft.mail(person, company, "Question", f"You reach me at {older}.")
    draft.mail(person, company, "Moved", f"My number is {newer}.")
    if kind == "phone":
        draft.contacts.append(new_contact(person, draft.firms[0], draft.phone(), ["Suppliers"]))
    draft.contacts.append(new_contact(person, company, older, ["Suppliers"]))
    if kind == "double":
        draft.contacts.insert(random.randint(0, len(draft.contacts)), new_contact(person, company, newer, []))
    return request


def number_mails(draft):
    """Put requests among the other mails; both keep their order."""
    order = ["request"] * len(draft.asked) + ["mail"] * len(draft.mails)
    draft.random.shuffle(order)
    mails, requests, others, number = [], list(draft.asked), list(draft.mails), 100
    for kind in order:
        number += draft.random.randint(1, 4)
        if kind == "request":
            sender, company, request = requests.pop(0)
            request["mail"] = f"M{number}"
            subject, body = texts(request)
        else:
            sender, company, subject, body = others.pop(0)
        mail = {"mail": f"M{number}", "sender": sender, "company": company, "subject": subject}
        mails.append({**mail, "body": body, "folder": "inbox"})
    return mails


def titles_are_clear(events):
    """Whether nobody attends two meetings of one title."""
    attended = [
        (name, event["title"]) for event in events if event["title"] in TITLES for name in event["attendees"]
    ]
    return len(set(attended)) == len(attended)


PAPER = ("forward", "file", "clean", "phone", "add", "double")
CAN_FAIL = ("move", "create", "room")


def generate(random, difficulty: int) -> Config:
    # Drawn once: what makes a draft unfit is not to decide how often each of them occurs.
    fails = random.random() < (0.45 if difficulty < 3 else 0.75)
    taken_back = difficulty > 3 or (difficulty < 3 and not fails and random.random() < 0.7)
    shares_day = difficulty > 3 and random.random() < 0.6
    while True:
        house = "Lindner & Voss"
        draft = Draft(random, house)
        draft.contacts.append(new_contact(draft.outsiders[0], draft.firms[0], draft.phone(), ["Suppliers"]))
        kinds = random.sample([*IN_CALENDAR, *PAPER], (2, 4, 4, 6, 11)[difficulty - 1])
        can_fail = [kind for kind in kinds if kind in CAN_FAIL and not (shares_day and kind != "room")]
        if (difficulty == 5 and "create" not in kinds) or (fails and not can_fail):
            continue
        if shares_day and not {"move", "create"}.issubset(kinds):
            continue
        full = random.choice(can_fail) if fails else ""
        planner, planned = random.choice(draft.people), draft.days.pop() if shares_day else ""
        for kind in kinds:
            person = random.choice(draft.people)
            if kind in PAPER:
                request = draw_paper_request(draft, kind)
            elif shares_day and kind in {"move", "create"}:
                person = planner
                request = draw_calendar_request(draft, kind, person, False, difficulty == 5, False, planned)
            else:
                request = draw_calendar_request(draft, kind, person, kind == full, difficulty == 5, False)
            draft.asked.append([person, house, request])
        if difficulty > 2:
            person = random.choice(draft.people)
            request = draw_calendar_request(draft, "move", person, False, False, True)
            draft.asked.append([person, house, request])
            firm = draft.firms[0]
            draft.asked.append([draft.outsiders.pop(), firm, draw_paper_request(draft, "forward")])
        random.shuffle(draft.asked)
        if taken_back:
            place = random.randrange(len(draft.asked) - 1)
            person, company, request = draft.asked[place]
            back = {**request, "kind": "take back", "what": texts(request)[0]}
            draft.asked.insert(random.randint(place + 1, len(draft.asked)), [person, company, back])
        mails = number_mails(draft)
        config = {
            "house": house,
            "requests": len(draft.asked),
            "contacts": draft.contacts,
            "events": draft.events,
            "rooms": [{"room": room, "seats": seats} for room, seats in ROOMS],
            "mails": mails,
            "folders": list(PROJECTS),
            "asked": [request for person, company, request in draft.asked],
        }
        subjects = [mail["subject"] for mail in mails if mail["subject"].startswith("Please")]
        if len(set(subjects)) < len(subjects) or not titles_are_clear(config["events"]):
            continue
        right = expected(config)
        if not titles_are_clear(right["events"]) or ("not possible" in right["answers"].values()) != fails:
            continue
        there = present(config)
        if difficulty == 5 and "absence" not in there:
            continue
        if all(expected(config, rule) != right for rule in rules_for(there)):
            return config
