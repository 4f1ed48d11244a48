"""A vault door has come without its manual. Its control box takes single-letter commands, {commands}
being all the letters, and is always in one of {modes} hidden modes or locked out. Find the shortest
command string that opens the vault from standby, the mode in which the box stands now and to which every
reset brings it back. The vault has to open at the last command of the string and not before.

What the maker's technician remembers:
- What a command does depends only on the mode and the letter. It leads to a mode (maybe the same one), or
  opens the vault, or locks the box out.
- Every reply shows the colour of a lamp, as it is after the command. The colour belongs to the mode, but
  modes may share a colour.
- Voltage can be measured at contacts numbered from 1 to {contacts}. The voltage at a contact belongs to
  the mode, too. No two modes agree in {looks}. Probing does not change
  the mode, but the probe wears out: it is good for {probes} measurements.
- When the vault opens, the bolt springs back at once and the box is in standby again.
- When locked out, the box takes nothing but a reset. It allows {resets} resets altogether; locked out
  after that, it stays so. There are fewer pairs of a mode and a letter that lock the box out than there
  are resets.
- Without any reset and without opening the vault, every mode can be reached from every other by some
  commands.
{conditions}
Answer with the shortest string of command letters that opens the vault when sent from standby. If several
are equally short, give the one that comes first in the alphabet.
"""

from collections import deque
from datetime import date, timedelta
from itertools import product
from typing import Literal, TypedDict

META = {
    "title": "Vault protocol",
    "tags": ["state machine", "exploration"],
    "public": ["commands", "modes", "contacts", "looks", "probes", "resets", "conditions"],
    "license": "MIT",
    "source": "original",
}

CONDITIONS = """
The technician adds that some lamps are slow: in some modes the lamp stays dark the first few times that a
command leads to the mode. The mode has its colour all the same.

The vault is insured, and the string has to keep to the insurer's conditions. You need not keep to them while
you try things out. The letters about them are in a folder:
- A letter is about one command, or about all modes with one colour. Of the insurer's letters about the same
  command, or the same colour, only the one with the latest date holds. It replaces those before it entirely.
- The broker, who writes too, cannot set or change conditions.
- "not twice in a row", "at most once" and "at least twice" say how often the string may or must contain the
  command. "no commands" means that the string sends no command in a mode with that colour. "no condition"
  means that there is none.
If no string opens the vault and keeps to all conditions, answer with the word none.
"""
OPENS = -1
LOCKS = -2
LAMPS = ["amber", "blue", "green"]
MORE_LAMPS = ["violet", "white"]
VOLTAGES = [3, 5, 9, 12]
PAGE = 4


class Letter(TypedDict):
    date: str
    sender: Literal["insurer", "broker"]
    about: str
    says: Literal["not twice in a row", "at most once", "at least twice", "no commands", "no condition"]


class Config(TypedDict):
    commands: str
    modes: int
    contacts: int
    looks: str
    probes: int
    resets: int
    conditions: str
    leads: list[list[int]]
    lamps: list[str]
    dark: list[int]
    voltages: list[list[int]]
    letters: list[Letter]


class Reply(TypedDict):
    event: Literal["accepted", "opened", "locked out"]
    lamp: str


class Probing(TypedDict):
    volts: int
    lamp: str
    probes_left: int


class Standby(TypedDict):
    lamp: str
    resets_left: int


class Page(TypedDict):
    letters: list[Letter]
    next_cursor: int | None


class Environment:
    def __init__(self, config: Config):
        self.box = Box(config)

    def send(self, command: str) -> Reply:
        """Send one command and get the box's reply; a locked-out box shows a red lamp.

        Args:
            command: one command letter.
        """
        return self.box.send(command)

    def probe(self, contact: int) -> Probing:
        """Measure the voltage at one contact in the present mode. Uses up one measurement.

        Args:
            contact: number of the contact, from 1.
        """
        return self.box.probe(contact)

    def reset(self) -> Standby:
        """Bring the box back to standby from any mode or from lock-out. Uses up one reset."""
        return self.box.reset()

    def read_letters(self, cursor: int) -> Page:
        """Read the letters in the folder, in the order in which they were filed, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        return self.box.read_letters(cursor)


class Box:
    """The control box and the folder, which the tools act on."""

    def __init__(self, config: Config):
        self.config = config
        self.probes = config["probes"]
        self.resets = config["resets"]
        self.mode = 0
        self.locked = False
        self.entered = [0] * config["modes"]
        self.calls = 0

    def send(self, command):
        self.calls += 1
        if command not in list(self.config["commands"]):
            raise ValueError(f"command must be one of the letters {self.config['commands']}")
        check_responsive(self)
        result = self.config["leads"][self.mode][self.config["commands"].index(command)]
        if result == LOCKS:
            self.locked = True
            return {"event": "locked out", "lamp": "red"}
        self.mode = 0 if result == OPENS else result
        self.entered[self.mode] += 1
        return {"event": "opened" if result == OPENS else "accepted", "lamp": lamp(self)}

    def probe(self, contact):
        self.calls += 1
        volts = self.config["voltages"][self.mode]
        if not 1 <= contact <= len(volts):
            raise ValueError(f"contact must be between 1 and {len(volts)}")
        check_responsive(self)
        if self.probes < 1:
            raise ValueError("the probe is worn out")
        self.probes -= 1
        return {"volts": volts[contact - 1], "lamp": lamp(self), "probes_left": self.probes}

    def reset(self):
        self.calls += 1
        if self.resets < 1:
            raise ValueError("the box allows no more resets")
        self.resets -= 1
        self.mode = 0
        self.locked = False
        return {"lamp": lamp(self), "resets_left": self.resets}

    def read_letters(self, cursor):
        self.calls += 1
        letters = self.config["letters"]
        if not 0 <= cursor <= len(letters) or cursor % PAGE:
            raise ValueError("cursor must be 0 or the next cursor of a page")
        following = cursor + PAGE if cursor + PAGE < len(letters) else None
        return {"letters": letters[cursor : cursor + PAGE], "next_cursor": following}


def check_responsive(box) -> None:
    if box.locked:
        raise ValueError(f"the box is locked out; resets left: {box.resets}")


def lamp(box) -> str:
    slow = 0 < box.entered[box.mode] <= box.config["dark"][box.mode]
    return "dark" if slow else box.config["lamps"][box.mode]


def in_force(letters: list[Letter], forget: str = "") -> list[Letter]:
    """The letters that hold; with one rule about them forgotten, if it is named."""
    if forget == "reads no letters":
        return []
    senders = ["insurer", "broker"] if forget == "heeds the broker" else ["insurer"]
    valid = [letter for letter in letters if letter["sender"] in senders]
    if forget == "keeps to replaced letters as well":
        return valid
    if forget != "takes the letter that was filed last":
        valid = sorted(valid, key=lambda letter: letter["date"])
    latest = {letter["about"]: letter for letter in valid}
    return [letter for letter in latest.values() if forget != f'forgets "{letter["says"]}"']


def shortest_opening(
    leads: list[list[int]], lamps: list[str], letters: list[Letter], commands: str, order: str
) -> str:
    """The shortest string that opens and keeps to the letters; of several, the first in an order of commands.

    Returns "none" if there is none.
    """
    barred, apart, once, twice = (
        {letter["about"] for letter in letters if letter["says"] == says}
        for says in ("no commands", "not twice in a row", "at most once", "at least twice")
    )
    counted = sorted(once | twice)
    # Where the box is, the last command, and how often each counted command was sent, up to two times.
    start = (0, "", (0,) * len(counted))
    strings, waiting = {start: ""}, deque([start])
    while waiting:
        state = waiting.popleft()
        mode, last, counts = state
        for command in order if lamps[mode] not in barred else "":
            result = leads[mode][commands.index(command)]
            sent = tuple(min(2, n + (each == command)) for each, n in zip(counted, counts))
            if result == LOCKS or (command == last and command in apart):
                continue
            if any(n == 2 and each in once for each, n in zip(counted, sent)):
                continue
            if result == OPENS and all(n == 2 or each not in twice for each, n in zip(counted, sent)):
                return strings[state] + command
            if result >= 0 and (result, command, sent) not in strings:
                strings[result, command, sent] = strings[state] + command
                waiting.append((result, command, sent))
    return "none"


SAME_LAMP = "takes modes with the same lamp for one"
SAME_VOLTAGES = "takes modes with the same voltages for one"
ANOTHER = "takes another of the shortest strings"
DARK = "takes a dark lamp for no colour"
TOO_STRICT = ["heeds the broker", "takes the letter that was filed last", "keeps to replaced letters as well"]


def opening(config: Config, forget: str = "") -> str:
    """The answer; with one rule forgotten, if it is named."""
    commands, leads, lamps = config["commands"], config["leads"], config["lamps"]
    order = commands[::-1] if forget == ANOTHER else commands
    if forget == DARK:
        lamps = ["dark" if slow else colour for colour, slow in zip(lamps, config["dark"])]
    elif forget in (SAME_LAMP, SAME_VOLTAGES):
        shown = lamps if forget == SAME_LAMP else config["voltages"]
        leads = [[shown.index(shown[to]) if to >= 0 else to for to in row] for row in leads]
    return shortest_opening(leads, lamps, in_force(config["letters"], forget), commands, order)


def reference(config: Config) -> str:
    return opening(config)


def rules(config: Config) -> list[str]:
    """The rules that can be forgotten."""
    if not config["conditions"]:
        return [ANOTHER, SAME_LAMP, SAME_VOLTAGES]
    held = {letter["says"] for letter in in_force(config["letters"])} - {"no condition"}
    forgotten = [f'forgets "{says}"' for says in sorted(held)]
    return [ANOTHER, SAME_LAMP, DARK, "reads no letters", *TOO_STRICT, *forgotten]


def mistakes(config: Config) -> dict[str, str]:
    return {rule: opening(config, rule) for rule in rules(config)}


class Mode(TypedDict):
    """What has been found out about a mode; the lamp is dark as long as its colour is not known."""

    lamp: str
    volts: list[int]
    leads: dict[str, int]


def solve(tools, commands, modes, contacts, looks, probes, resets, conditions):
    return find_opening(tools, commands, modes, contacts, conditions)


def find_opening(tools, commands, modes, contacts, conditions):
    letters = []
    cursor = 0 if conditions else None
    while cursor is not None:
        page = tools.read_letters(cursor=cursor)
        letters += page["letters"]
        cursor = page["next_cursor"]
    measured = [tools.probe(contact=contact) for contact in range(1, contacts + 1)]
    known = [{"lamp": measured[0]["lamp"], "volts": [each["volts"] for each in measured], "leads": {}}]
    here = 0
    while True:
        # First everything is tried once; then slow lamps are looked at again.
        route = route_from(known, here, commands, lambda mode, command: command not in known[mode]["leads"])
        route = route or route_from(
            known, here, commands, lambda mode, command: is_dark(known, mode, command)
        )
        if route is None:
            break
        for command in route:
            reply = tools.send(command=command)
            result = known[here]["leads"].get(command)
            if result is None and reply["event"] == "accepted":
                result = identify(tools, reply["lamp"], contacts, known, modes)
            elif result is None:
                result = OPENS if reply["event"] == "opened" else LOCKS
            known[here]["leads"][command] = result
            if result == LOCKS:
                tools.reset()
            here = max(result, 0)
            if known[here]["lamp"] == "dark":
                known[here]["lamp"] = reply["lamp"]
    leads = [[mode["leads"][command] for command in commands] for mode in known]
    lamps = [mode["lamp"] for mode in known]
    return shortest_opening(leads, lamps, in_force(letters), commands, commands)


def is_dark(known: list[Mode], mode: int, command: str) -> bool:
    """Whether a command leads to a mode whose colour is not known yet."""
    result = known[mode]["leads"][command]
    return result >= 0 and known[result]["lamp"] == "dark"


def identify(tools, colour: str, contacts: int, known: list[Mode], modes: int) -> int:
    """The mode the box is in, probing only as long as there is doubt; adds it if it is a new one."""
    volts = []
    while len(volts) <= contacts:
        fitting = [
            place
            for place, mode in enumerate(known)
            if mode["volts"][: len(volts)] == volts
            and ("dark" in (colour, mode["lamp"]) or colour == mode["lamp"])
        ]
        if len(fitting) == 1 and (len(known) == modes or len(volts) == contacts):
            return fitting[0]
        if len(volts) < contacts:
            volts.append(tools.probe(contact=len(volts) + 1)["volts"])
        else:
            break
    known.append({"lamp": colour, "volts": volts, "leads": {}})
    return len(known) - 1


def route_from(known: list[Mode], begin: int, commands: str, wanted) -> str | None:
    """The shortest string from a known mode whose last command is wanted, or None."""
    routes, waiting = {begin: ""}, deque([begin])
    while waiting:
        mode = waiting.popleft()
        for command in commands:
            if wanted(mode, command):
                return routes[mode] + command
        for command in commands:
            result = known[mode]["leads"].get(command, LOCKS)
            if result >= 0 and result not in routes:
                routes[result] = routes[mode] + command
                waiting.append(result)
    return None


def draw_leads(random, modes: int, width: int, locking: int, narrow: int) -> list[list[int]]:
    """Where the commands lead from each mode: never past the next layer, so that the way is long."""
    layers = [[0]]
    while sum(len(layer) for layer in layers) < modes:
        made = sum(len(layer) for layer in layers)
        size = 1 if len(layers) < narrow else random.choice((1, 2))
        layers.append(list(range(made, min(made + size, modes))))
    leads = []
    for depth, layer in enumerate(layers):
        behind = [mode for earlier in layers[: depth + 1] for mode in earlier]
        onward = layers[depth + 1] if depth + 1 < len(layers) else [OPENS]
        for mode in layer:
            row = [random.choice(onward), random.choice(behind)]
            row += [random.choice(behind + onward) for _ in range(width - 2)]
            random.shuffle(row)
            leads.append(row)
    pairs = list(product(range(modes), range(width)))
    for mode, place in random.sample(pairs, locking):
        leads[mode][place] = LOCKS
    return leads


def connected(leads: list[list[int]]) -> bool:
    """Whether every mode can be reached from every other one without a reset."""
    for begin in range(len(leads)):
        reached = [begin]
        for mode in reached:
            for result in leads[mode]:
                if result >= 0 and result not in reached:
                    reached.append(result)
        if len(reached) < len(leads):
            return False
    return True


def broken_by(config: Config, string: str) -> list[tuple[str, str]]:
    """Conditions, as what they are about and what they say, to which a string would not keep."""
    mode, broken = 0, []
    for command in string:
        if mode > 0 and config["lamps"][mode] != config["lamps"][0]:
            broken.append((config["lamps"][mode], "no commands"))
        mode = config["leads"][mode][config["commands"].index(command)]
    for command in config["commands"]:
        if 2 * command in string:
            broken.append((command, "not twice in a row"))
        broken.append((command, "at least twice" if string.count(command) < 2 else "at most once"))
    return sorted(set(broken))


def write_letters(random, config: Config, count: int, possible: bool) -> bool:
    """Fills the folder: so many conditions that hold, others that were replaced, and the broker's.

    Each condition that holds rules out the best string before it. Returns whether that was possible.
    """
    start = date(2026, 3, 2) + timedelta(days=random.randrange(200))
    days = [(start + timedelta(days=day)).isoformat() for day in sorted(random.sample(range(300), 12))]

    def letter(day, sender, about, says):
        return {"date": days[day], "sender": sender, "about": about, "says": says}

    held, broken = [], []
    for number in range(count):
        broken = broken_by(config, opening(config))
        fitting = [letter(4 + number, "insurer", about, says) for about, says in broken if about not in held]
        fitting = [each for each in fitting if (each["says"] == "no commands") == (number == 0)]
        ends = not possible and number == count - 1
        fitting = [
            each
            for each in fitting
            if (opening({**config, "letters": [*config["letters"], each]}) == "none") == ends
        ]
        if not fitting:
            return False
        config["letters"].append(random.choice(fitting))
        held.append(config["letters"][-1]["about"])
    if possible:
        broken = broken_by(config, opening(config))
    for number, (about, says) in enumerate(random.sample(broken, 2)):
        config["letters"].append(letter(number, "insurer", about, says))
        if about not in held:
            config["letters"].append(letter(7 + number, "insurer", about, "no condition"))
    config["letters"].append(letter(2, "broker", *random.choice(broken)))
    about, says = random.choice([*broken, (random.choice(held), "no condition")])
    config["letters"].append(letter(9, "broker", about, says))
    random.shuffle(config["letters"])
    return True


def all_matter(config: Config, difficulty: int, possible: bool) -> bool:
    right = opening(config)
    if (right != "none") != possible:
        return False
    tested = rules(config)
    if difficulty == 1:
        tested = [ANOTHER]
    elif not possible:
        tested = [rule for rule in tested if rule not in (ANOTHER, SAME_LAMP, *TOO_STRICT)]
    return all(opening(config, rule) != right for rule in tested)


class Rehearsal(TypedDict):
    calls: int
    probes: int


def rehearse(config: Config) -> Rehearsal:
    """Finds the answer at the box, and counts the calls and the measurements that this takes."""
    box = Box(config)
    find_opening(box, *(config[name] for name in ("commands", "modes", "contacts", "conditions")))
    return {"calls": box.calls, "probes": config["probes"] - box.probes}


def generate(random, difficulty: int) -> Config:
    modes = (4, 5, 7, 7, 10)[difficulty - 1]
    contacts = (1, 1, 2, 2, 2)[difficulty - 1]
    locking = (1, 1, 2, 3, 4)[difficulty - 1]
    width = (3, 3, 3, 4, 4)[difficulty - 1]
    possible = difficulty < 4 or random.random() < 0.8
    while True:
        config = {
            "commands": "".join(sorted(random.sample("BCDFGHJKLMNPQRSTVWXZ", width))),
            "modes": modes,
            "contacts": contacts,
            "looks": "the lamp and in the voltages at all contacts",
            "probes": 1000,
            "resets": locking + 1,
            "conditions": "",
            "leads": draw_leads(random, modes, width, locking, narrow=3 if difficulty < 4 else 1),
            "lamps": [],
            "dark": [0] * modes,
            "voltages": [],
            "letters": [],
        }
        if not connected(config["leads"]):
            continue
        shown = random.sample(list(product(LAMPS, product(VOLTAGES, repeat=contacts))), modes)
        if difficulty > 3:
            volts = random.sample(list(product(VOLTAGES, repeat=contacts)), modes)
            shown = [(random.choice(LAMPS + MORE_LAMPS), each) for each in volts]
        config["lamps"] = [colour for colour, volts in shown]
        config["voltages"] = [list(volts) for colour, volts in shown]
        if difficulty > 3:
            config["conditions"] = CONDITIONS
            config["looks"] = "the voltages at all contacts"
            config["dark"] = [0] + [random.choice((0, 1, 2, 3)) for mode in range(modes - 1)]
            if opening(config) == "none" or not write_letters(random, config, difficulty - 2, possible):
                continue
        if not all_matter(config, difficulty, possible):
            continue
        needed = rehearse(config)
        if 10 <= needed["calls"] <= 240:
            config["probes"] = needed["probes"] * 3 // 2
            return config
