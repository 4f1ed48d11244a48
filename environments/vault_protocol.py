"""A vault door has come without its manual. Its control box takes single-letter commands, {commands}
being all the letters, and is always in one of {modes} hidden modes or locked out. Find the shortest
command string that opens the vault from standby, the mode in which the box stands now and to which every
reset brings it back.

What the maker's technician remembers:
- What a command does depends only on the mode and the letter. It leads to a mode (maybe the same one), or
  opens the vault, or locks the box out.
- Every reply shows the colour of a lamp, as it is after the command. The colour belongs to the mode, but
  modes may share a colour.
- Voltage can be measured at contacts numbered from 1 to {contacts}. The voltage at a contact belongs to
  the mode, too. No two modes agree in the lamp and in the voltages at all contacts. Probing does not
  change the mode, but the probe wears out: it is good for {probes} measurements.
- When the vault opens, the bolt springs back at once and the box is in standby again.
- When locked out, the box takes nothing but a reset. It allows {resets} resets altogether; locked out
  after that, it stays so. There are fewer pairs of a mode and a letter that lock the box out than there
  are resets.
- Without any reset and without opening the vault, every mode can be reached from every other by some
  commands.

Answer with the shortest string of command letters that opens the vault when sent from standby. If several
are equally short, give the one that comes first in the alphabet.
"""

from collections import deque
from itertools import product
from typing import Literal, TypedDict

META = {
    "title": "Vault protocol",
    "tags": ["state machine", "exploration"],
    "public": ["commands", "modes", "contacts", "probes", "resets"],
    "license": "MIT",
    "source": "original",
}

OPENS = -1
LOCKS = -2
LAMPS = ["amber", "blue", "green"]
VOLTAGES = [3, 5, 9, 12]


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


class Environment:
    def __init__(
        self,
        commands: str,
        modes: int,
        contacts: int,
        probes: int,
        resets: int,
        leads: list[list[int]],
        lamps: list[str],
        voltages: list[list[int]],
    ):
        self.commands = commands
        self.probes = probes
        self.resets = resets
        self.leads = leads
        self.lamps = lamps
        self.voltages = voltages
        self.mode = 0
        self.locked = False

    def send(self, command: str) -> Reply:
        """Send one command and get the box's reply; a locked-out box shows a red lamp.

        Args:
            command: one command letter.
        """
        if command not in list(self.commands):
            raise ValueError(f"command must be one of the letters {self.commands}")
        check_responsive(self)
        result = self.leads[self.mode][self.commands.index(command)]
        if result == LOCKS:
            self.locked = True
            return {"event": "locked out", "lamp": "red"}
        self.mode = 0 if result == OPENS else result
        return {"event": "opened" if result == OPENS else "accepted", "lamp": self.lamps[self.mode]}

    def probe(self, contact: int) -> Probing:
        """Measure the voltage at one contact in the present mode. Uses up one measurement.

        Args:
            contact: number of the contact, from 1.
        """
        contacts = len(self.voltages[self.mode])
        if not 1 <= contact <= contacts:
            raise ValueError(f"contact must be between 1 and {contacts}")
        check_responsive(self)
        if self.probes < 1:
            raise ValueError("the probe is worn out")
        self.probes -= 1
        return {
            "volts": self.voltages[self.mode][contact - 1],
            "lamp": self.lamps[self.mode],
            "probes_left": self.probes,
        }

    def reset(self) -> Standby:
        """Bring the box back to standby from any mode or from lock-out. Uses up one reset."""
        if self.resets < 1:
            raise ValueError("the box allows no more resets")
        self.resets -= 1
        self.mode = 0
        self.locked = False
        return {"lamp": self.lamps[0], "resets_left": self.resets}


def check_responsive(box) -> None:
    if box.locked:
        raise ValueError(f"the box is locked out; resets left: {box.resets}")


def reference(
    commands: str,
    modes: int,
    contacts: int,
    probes: int,
    resets: int,
    leads: list[list[int]],
    lamps: list[str],
    voltages: list[list[int]],
) -> str:
    return shortest_opening(commands, modes, leads, range(len(commands)))


def mistakes(
    commands: str,
    modes: int,
    contacts: int,
    probes: int,
    resets: int,
    leads: list[list[int]],
    lamps: list[str],
    voltages: list[list[int]],
) -> dict[str, str]:
    return {
        "takes another of the shortest strings": shortest_opening(
            commands, modes, leads, range(len(commands))[::-1]
        )
    }


def shortest_opening(commands: str, modes: int, leads: list[list[int]], preferred) -> str:
    """The shortest string that opens, with the preferred command wherever several are equally good."""
    distance = distances_to_opening(leads)
    mode, opening = 0, ""
    while True:
        chosen = min(preferred, key=lambda place: distance.get(leads[mode][place], modes + 1))
        opening += commands[chosen]
        if leads[mode][chosen] == OPENS:
            return opening
        mode = leads[mode][chosen]


def distances_to_opening(leads: list[list[int]]) -> dict[int, int]:
    """How many commands each mode is away from opening the vault."""
    distance = {OPENS: 0}
    for round_number in range(1, len(leads) + 1):
        reached = [
            mode
            for mode in range(len(leads))
            if mode not in distance and any(result in distance for result in leads[mode])
        ]
        distance.update(dict.fromkeys(reached, round_number))
    return distance


def solve(tools, commands, modes, contacts, probes, resets):
    # A mode is known by its lamp and voltages; its entry tells what each command tried in it has led to.
    first = tools.probe(contact=1)
    standby = (first["lamp"], first["volts"])
    standby += tuple(tools.probe(contact=contact)["volts"] for contact in range(2, contacts + 1))
    known = {standby: {}}
    here = standby
    while True:
        route = shortest(known, here, commands, lambda seen, command: command not in seen)
        if route is None:
            break
        for command in route[:-1]:
            here = known[here][command]
            tools.send(command=command)
        command = route[-1]
        reply = tools.send(command=command)
        if reply["event"] == "accepted":
            result = identify(tools, reply["lamp"], contacts, known, modes)
            known.setdefault(result, {})
        else:
            result = reply["event"]
            if result == "locked out":
                tools.reset()
        known[here][command] = result
        here = result if result in known else standby
    return shortest(known, standby, commands, lambda seen, command: seen[command] == "opened")


def identify(tools, lamp, contacts, known, modes):
    """The mode the box is in, probing only as long as there is doubt."""
    seen = (lamp,)
    while len(seen) <= contacts:
        fitting = [mode for mode in known if mode[: len(seen)] == seen]
        if len(known) == modes and len(fitting) == 1:
            return fitting[0]
        seen += (tools.probe(contact=len(seen))["volts"],)
    return seen


def shortest(known, begin, commands, wanted):
    """The first of the shortest strings from a known mode whose last command is wanted, or None."""
    routes = {begin: ""}
    waiting = deque([begin])
    while waiting:
        mode = waiting.popleft()
        for command in sorted(commands):
            if wanted(known[mode], command):
                return routes[mode] + command
        for command in sorted(commands):
            result = known[mode].get(command)
            if result in known and result not in routes:
                routes[result] = routes[mode] + command
                waiting.append(result)
    return None


def generate(random, difficulty: int) -> dict:
    modes = (4, 5, 7, 9, 11)[difficulty - 1]
    contacts = (1, 1, 2, 2, 2)[difficulty - 1]
    locking = (1, 1, 2, 3, 4)[difficulty - 1]
    commands = "".join(sorted(random.sample("BCDFGHJKLMNPQRSTVWXZ", 3)))
    while True:
        leads = draw_leads(random, modes, locking)
        if connected(leads) and 0 in distances_to_opening(leads):
            break
    looks = random.sample(list(product(LAMPS, product(VOLTAGES, repeat=contacts))), modes)
    return {
        "commands": commands,
        "modes": modes,
        "contacts": contacts,
        "probes": modes * len(commands) * contacts,
        "resets": locking + 1,
        "leads": leads,
        "lamps": [look[0] for look in looks],
        "voltages": [list(look[1]) for look in looks],
    }


def draw_leads(random, modes: int, locking: int) -> list[list[int]]:
    """Where three commands lead from each mode: never past the next layer, so that the way is long."""
    layers = [[0]]
    while sum(len(layer) for layer in layers) < modes:
        made = sum(len(layer) for layer in layers)
        size = 1 if len(layers) < 3 else random.choice((1, 2))
        layers.append(list(range(made, min(made + size, modes))))
    leads = []
    for depth, layer in enumerate(layers):
        behind = [mode for earlier in layers[: depth + 1] for mode in earlier]
        onward = layers[depth + 1] if depth + 1 < len(layers) else [OPENS]
        for mode in layer:
            row = [random.choice(onward), random.choice(behind + onward), random.choice(behind)]
            random.shuffle(row)
            leads.append(row)
    pairs = [(mode, place) for mode in range(modes) for place in range(3)]
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
