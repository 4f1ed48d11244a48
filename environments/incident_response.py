"""You are on call, and our shop is failing. It is minute {now} of the day. Find the cause, put it right by
the runbook, and report what it was.

The shop consists of services that call each other. There is exactly one cause, of one of these kinds:
- "release": a new version of a service fails from the minute in which it went live;
- "setting": a changed setting makes a service fail from the minute of the change;
- "leak": since a setting was changed, a service has been using up connections and giving none back; it
  fails from the minute in which all its connections are in use;
- "flood": one client sends a service far more requests than usual, and it fails from the minute in which
  that begins;
- "certificate": the last certificate of a service has expired; from the minute in which it expires, no other
  service can call it, and its callers fail;
- "host": a host has become slow; all services on it fail from that minute.

When a service fails because of the cause, each service that calls it begins to fail some minutes later. The
failures spread in this way from service to service, up to the services that raise alarms. A service that
fails gets more requests than usual, because its callers try again.

Not every failure belongs to the incident. Services also have harmless failures: some have lasted all day,
such as single calls that time out, some come in spells, and some are going on now. A harmless failure makes
no caller begin to fail. Versions and
settings are changed all day long, and most changes are harmless. A service with several certificates works
as long as one of them is valid. Customers do not check certificates, so a service that no other service
calls needs none.

Read the runbook; procedures change. It has a procedure for each kind of cause. Take exactly its steps for
the place of the cause, in their order. Every other action is a fault, and no action can be undone. An action
that is refused with an error has not happened and is no fault. The figures and lists do not show what your
actions change; only `hosts` and `service` show where services run after a move.

Then answer with an object of three members:
- "kind": the kind of the cause;
- "where": the service, or the host if that is the kind;
- "began": a minute. For a release it is the one in which the version went live; for a setting or a leak, the
  one of the change; for a flood, the one in which it begins; for a certificate, the one in which it expires;
  for a host, the one in which it became slow.
"""

from typing import Literal, TypedDict

META = {
    "title": "Incident response",
    "tags": ["operations", "diagnosis"],
    "public": ["now"],
    "license": "MIT",
    "source": "original",
}

KIND = Literal["release", "setting", "leak", "flood", "certificate", "host"]
METRIC = Literal["requests", "failures", "connections"]
HANDLER = "unexpected error in the handler"
QUEUE = "request waited too long"
CLOSED = "client closed the connection"
WINDOW = 30


class Cause(TypedDict):
    kind: Literal["release", "setting", "leak", "flood", "certificate", "host"]
    where: str
    began: int


class Service(TypedDict):
    calls: list[str]
    host: str
    team: str
    stateful: bool
    certificates_until: list[int]
    connection_limit: int


class Normal(TypedDict):
    requests: int
    connections: int
    delay: int


class Release(TypedDict):
    version: str
    minute: int
    withdrawn: bool


class Change(TypedDict):
    minute: int
    setting: str
    old: str
    new: str


class Spell(TypedDict):
    service: str
    since: int
    until: int
    count: int
    message: str


class Alarm(TypedDict):
    minute: int
    service: str


class Config(TypedDict):
    now: int
    services: dict[str, Service]
    normal: dict[str, Normal]
    hosts: list[str]
    clients: list[str]
    releases: dict[str, list[Release]]
    changes: dict[str, list[Change]]
    spells: list[Spell]
    runbook: dict[str, list[str]]
    cause: Cause
    client: str


class State(TypedDict):
    actions: list[str]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.failing = failing_since(config)
        self.places = {name: service["host"] for name, service in config["services"].items()}
        self.actions = []

    def alarms(self) -> list[Alarm]:
        """List the alarms of the services that customers use directly."""
        called = {each for service in self.config["services"].values() for each in service["calls"]}
        front = [name for name in sorted(self.config["services"]) if name not in called]
        return [
            {"minute": self.failing[name] + 5, "service": name}
            for name in front
            if name in self.failing and self.failing[name] + 5 <= self.config["now"]
        ]

    def service(self, name: str) -> Service:
        """Look up a service: what it calls, where it runs, its team, and when its certificates expire.

        Args:
            name: name of the service.
        """
        return {**known(self.config["services"], name, "service"), "host": self.places[name]}

    def callers(self, name: str) -> list[str]:
        """List the services that call a service.

        Args:
            name: name of the service.
        """
        self.service(name)
        return callers_of(self.config, name)

    def hosts(self) -> dict[str, list[str]]:
        """Show the services that run on each host now."""
        names = sorted(self.places)
        return {host: [each for each in names if self.places[each] == host] for host in self.config["hosts"]}

    def metric(
        self, service: str, name: Literal["requests", "failures", "connections"], since: int
    ) -> list[int]:
        """Show a figure of a service, minute by minute, for 30 minutes or until now.

        Args:
            service: name of the service.
            name: which figure.
            since: the first minute to show.
        """
        check(self, service, since)
        minutes = range(since, min(since + WINDOW, self.config["now"] + 1))
        if name == "failures":
            return [sum(messages(self, service, minute).values()) for minute in minutes]
        if name == "requests":
            return [sum(requests(self, service, minute).values()) for minute in minutes]
        return [connections(self.config, service, minute) for minute in minutes]

    def log(self, service: str, minute: int) -> dict[str, int]:
        """Show the failures that a service logged in one minute: how often each message came.

        Args:
            service: name of the service.
            minute: minute of the day.
        """
        check(self, service, minute)
        return messages(self, service, minute)

    def clients(self, service: str, minute: int) -> dict[str, int]:
        """Show how many requests each client caused at a service in one minute.

        Args:
            service: name of the service.
            minute: minute of the day.
        """
        check(self, service, minute)
        return requests(self, service, minute)

    def versions(self, service: str) -> list[Release]:
        """List the latest versions of a service in the order in which they went live.

        Args:
            service: name of the service.
        """
        self.service(service)
        return self.config["releases"][service]

    def changes(self, service: str) -> list[Change]:
        """List today's changes of the settings of a service.

        Args:
            service: name of the service.
        """
        self.service(service)
        return self.config["changes"].get(service, [])

    def runbook(
        self, kind: Literal["release", "setting", "leak", "flood", "certificate", "host"]
    ) -> list[str]:
        """Read the procedure for a kind of cause.

        Args:
            kind: the kind of cause.
        """
        return [STEPS[step] for step in self.config["runbook"][kind]]

    def notify(self, team: str) -> str:
        """Call out a team.

        Args:
            team: name of the team.
        """
        if team not in [service["team"] for service in self.config["services"].values()]:
            raise ValueError(f"there is no team {team}")
        return act(self, f"notify {team}")

    def drain(self, service: str) -> str:
        """Take a service out of the traffic.

        Args:
            service: name of the service.
        """
        self.service(service)
        return act(self, f"drain {service}")

    def undrain(self, service: str) -> str:
        """Let a drained service have traffic again.

        Args:
            service: name of the service.
        """
        if f"drain {service}" not in self.actions:
            raise ValueError(f"{service} has not been drained")
        return act(self, f"undrain {service}")

    def restart(self, service: str) -> str:
        """Restart a service.

        Args:
            service: name of the service.
        """
        self.service(service)
        return act(self, f"restart {service}")

    def fail_over(self, service: str) -> str:
        """Let the standby of a stateful service take over.

        Args:
            service: name of the service.
        """
        if not self.service(service)["stateful"]:
            raise ValueError(f"{service} is not stateful and has no standby")
        return act(self, f"fail_over {service}")

    def roll_back(self, service: str, version: str) -> str:
        """Bring an earlier version of a service back.

        Args:
            service: name of the service.
            version: the version to run from now on.
        """
        if version not in [release["version"] for release in self.versions(service)[:-1]]:
            raise ValueError(f"{service} has no such earlier version")
        return act(self, f"roll_back {service} {version}")

    def change_setting(self, service: str, setting: str, value: str) -> str:
        """Change a setting of a service that was changed today.

        Args:
            service: name of the service.
            setting: name of the setting.
            value: its new value.
        """
        if setting not in [change["setting"] for change in self.changes(service)]:
            raise ValueError(f"{service} has no setting {setting} that was changed today")
        return act(self, f"change_setting {service} {setting} {value}")

    def renew_certificate(self, service: str) -> str:
        """Give a service a new certificate.

        Args:
            service: name of the service.
        """
        self.service(service)
        return act(self, f"renew_certificate {service}")

    def block_client(self, service: str, client: str) -> str:
        """Refuse the requests of a client at a service.

        Args:
            service: name of the service.
            client: name of the client.
        """
        self.service(service)
        if client not in self.config["clients"]:
            raise ValueError(f"there is no client {client}")
        return act(self, f"block_client {service} {client}")

    def move(self, service: str, host: str) -> str:
        """Move a service to another host.

        Args:
            service: name of the service.
            host: name of the host.
        """
        if host not in self.config["hosts"] or host == self.service(service)["host"]:
            raise ValueError("host must be one of the hosts, and another one than now")
        self.places[service] = host
        return act(self, f"move {service} {host}")

    def final_state(self) -> State:
        return {"actions": self.actions}


def check(environment, service: str, minute: int) -> None:
    environment.service(service)
    if not 0 <= minute <= environment.config["now"]:
        raise ValueError(f"minutes are between 0 and {environment.config['now']}")


def act(environment, action: str) -> str:
    environment.actions.append(action)
    return f"done: {action}"


def known(table: dict, name: str, kind: str):
    if name not in table:
        raise ValueError(f"there is no {kind} {name}; there are {', '.join(sorted(table))}")
    return table[name]


def callers_of(config: Config, name: str) -> list[str]:
    return sorted(each for each, service in config["services"].items() if name in service["calls"])


def services_on(config: Config, host: str) -> list[str]:
    return sorted(name for name, service in config["services"].items() if service["host"] == host)


def connections(config: Config, service: str, minute: int) -> int:
    cause, limit = config["cause"], config["services"][service]["connection_limit"]
    used = config["normal"][service]["connections"] + minute * 5 % 4
    if cause["kind"] == "leak" and cause["where"] == service:
        used += max(0, minute - cause["began"])
    return min(used, limit)


def failing_first(config: Config) -> list[str]:
    """The services that the cause itself concerns."""
    cause = config["cause"]
    return services_on(config, cause["where"]) if cause["kind"] == "host" else [cause["where"]]


def failing_since(config: Config) -> dict[str, int]:
    """The minute from which each service fails that the cause concerns."""
    kind, where, began = config["cause"]["kind"], config["cause"]["where"], config["cause"]["began"]
    failing = dict.fromkeys(failing_first(config), began)
    if kind == "leak":
        minutes = range(began, config["now"] + 1)
        limit = config["services"][where]["connection_limit"]
        full = [minute for minute in minutes if connections(config, where, minute) == limit]
        failing[where] = full[0] if full else config["now"] + 1
    for _ in config["services"]:
        for name, service in config["services"].items():
            for callee in service["calls"]:
                if callee in failing:
                    since = failing[callee] + config["normal"][name]["delay"]
                    failing[name] = min(since, failing.get(name, since))
    return failing


def messages(environment, service: str, minute: int) -> dict[str, int]:
    config, failing = environment.config, environment.failing
    kind, where = config["cause"]["kind"], config["cause"]["where"]
    usual, delay = config["normal"][service]["requests"], config["normal"][service]["delay"]
    found = {CLOSED: 1 + minute * 7 % 3}
    for spell in config["spells"]:
        if spell["service"] == service and spell["since"] <= minute <= spell["until"]:
            found[spell["message"]] = spell["count"] + minute * 3 % 2
    own = service in failing_first(config)
    if own and kind != "certificate" and minute >= failing[service]:
        found[HANDLER if kind in ("release", "setting") else QUEUE] = usual // 4 + minute % 3
    for callee in config["services"][service]["calls"]:
        if callee in failing and minute >= failing[callee] + delay:
            reason = "refused the handshake" if callee == where and kind == "certificate" else "timed out"
            message = f"call to {callee} {reason}"
            found[message] = found.get(message, 0) + usual // 3 + minute % 4
    return found


def requests(environment, service: str, minute: int) -> dict[str, int]:
    config, failing = environment.config, environment.failing
    kind, where = config["cause"]["kind"], config["cause"]["where"]
    usual = config["normal"][service]["requests"]
    if service == where and kind == "certificate" and minute >= failing[service]:
        return dict.fromkeys(config["clients"], 0)
    again = usual // 2 if service in failing and minute >= failing[service] + 2 else 0
    counts = {
        client: (usual + again) * (place + 2) // 9 + (minute * (place + 3)) % 4
        for place, client in enumerate(config["clients"])
    }
    if kind == "flood" and service == where and minute >= config["cause"]["began"]:
        counts[config["client"]] += usual
    return counts


STEPS = {
    "notify": "Notify the team that owns the service.",
    "notify teams": "Notify each team that owns a service on the host, once, in alphabetical order.",
    "drain": "Drain the service.",
    "undrain": "Undrain the service.",
    "restart": "Restart the service; if it is stateful, fail it over instead.",
    "restart callers": "Restart the services that call it, in alphabetical order; those that are stateful, "
    "fail over instead.",
    "roll back": "Roll the service back to the latest earlier version that has not been withdrawn.",
    "change back": "Change the setting back to its value before the change.",
    "renew": "Renew the certificate of the service.",
    "block": "Block the client at the service.",
    "move": "Move the services of the host away, in alphabetical order, each to the host on which the fewest "
    "services run at that moment (of several, the first in alphabetical order).",
}


def restarting(config: Config, names: list[str], forgotten: str) -> list[str]:
    stateful = [name for name in names if config["services"][name]["stateful"]]
    careless = forgotten == "stateful services are restarted"
    return [f"{'fail_over' if name in stateful and not careless else 'restart'} {name}" for name in names]


def moving(config: Config, host: str) -> list[str]:
    running = {each: len(services_on(config, each)) for each in config["hosts"] if each != host}
    actions = []
    for name in services_on(config, host):
        target = min(sorted(running), key=lambda each: running[each])
        running[target] += 1
        actions.append(f"move {name} {target}")
    return actions


def due_actions(config: Config, cause: Cause, forgotten: str) -> list[str]:
    """The steps of the runbook for a cause, as actions."""
    where, actions = cause["where"], []
    for step in config["runbook"][cause["kind"]]:
        if step == "notify":
            actions.append(f"notify {config['services'][where]['team']}")
        elif step == "notify teams":
            teams = {config["services"][name]["team"] for name in services_on(config, where)}
            actions += [f"notify {team}" for team in sorted(teams)]
        elif step in ("drain", "undrain"):
            actions.append(f"{step} {where}")
        elif step == "restart":
            actions += restarting(config, [where], forgotten)
        elif step == "restart callers" and forgotten != "callers are not restarted":
            actions += restarting(config, callers_of(config, where), forgotten)
        elif step == "roll back":
            earlier = [
                each
                for each in config["releases"][where]
                if each["minute"] < cause["began"]
                and (not each["withdrawn"] or forgotten == "withdrawn versions come back")
            ]
            actions.append(f"roll_back {where} {earlier[-1]['version']}")
        elif step == "change back":
            change = next(each for each in config["changes"][where] if each["minute"] == cause["began"])
            actions.append(f"change_setting {where} {change['setting']} {change['old']}")
        elif step == "renew":
            actions.append(f"renew_certificate {where}")
        elif step == "block":
            actions.append(f"block_client {where} {config['client']}")
        elif step == "move":
            actions += moving(config, where)
    return actions


def reference(config: Config) -> Cause:
    return config["cause"]


def accepts(answer: Cause, state: State, config: Config) -> bool:
    return answer == config["cause"] and state["actions"] == due_actions(config, config["cause"], "")


def mistakes(config: Config) -> dict[str, dict[str, Cause | State]]:
    cause, found = config["cause"], {}
    right = due_actions(config, cause, "")

    def slip(name, answer, actions):
        found[name] = {"answer": answer, "state": {"actions": actions}}

    slip("the incident is only explained", cause, [])
    cores = ("roll_back", "change_setting", "renew", "block", "move")
    slip("the runbook is not read", cause, [each for each in right if each.startswith(cores)])
    steps = config["runbook"][cause["kind"]]
    if "restart callers" in steps and callers_of(config, cause["where"]):
        slip("callers are not restarted", cause, due_actions(config, cause, "callers are not restarted"))
    if "restart" in steps or "restart callers" in steps:
        careless = due_actions(config, cause, "stateful services are restarted")
        slip("stateful services are restarted", cause, careless)
    if cause["kind"] == "release":
        slip(
            "withdrawn versions come back", cause, due_actions(config, cause, "withdrawn versions come back")
        )
    if cause["kind"] == "leak":
        slip(
            "the leak began with the failures",
            {**cause, "began": failing_since(config)[cause["where"]]},
            right,
        )
    first_alarm = min(failing_since(config).values())
    latest = [
        {"kind": "release", "where": name, "began": each["minute"]}
        for name in sorted(config["releases"])
        for each in config["releases"][name][1:]
    ] + [
        {"kind": "setting", "where": name, "began": each["minute"]}
        for name in sorted(config["changes"])
        for each in config["changes"][name]
    ]
    suspect = min(latest, key=lambda each: abs(each["began"] - first_alarm - 1))
    slip("the change next to the failures is blamed", suspect, due_actions(config, suspect, ""))
    going_on = {each["service"] for each in config["spells"] if each["message"] in (HANDLER, QUEUE)}
    loud = going_on & {each["service"] for each in config["spells"] if each["until"] >= config["now"]}
    if loud and cause["kind"] not in ("certificate", "host"):
        blamed = min(loud | {cause["where"]})
        suspect = {"kind": "release", "where": blamed, "began": config["releases"][blamed][-1]["minute"]}
        suspect = cause if blamed == cause["where"] else suspect
        slip("harmless failures are blamed", suspect, due_actions(config, suspect, ""))
    expired = [
        name
        for name, service in sorted(config["services"].items())
        if min(service["certificates_until"]) <= config["now"]
    ]
    if expired:
        until = min(config["services"][expired[0]]["certificates_until"])
        suspect = {"kind": "certificate", "where": expired[0], "began": until}
        slip("an expired certificate is blamed", suspect, due_actions(config, suspect, ""))
    return found


def solve(tools, now):
    waiting = [alarm["service"] for alarm in tools.alarms()]
    sources = {}
    for name in waiting:
        before, after = tools.log(service=name, minute=0), tools.log(service=name, minute=now)
        risen = [message for message in sorted(after) if after[message] > before.get(message, 0) + 4]
        called = [message for message in risen if message.startswith("call to ")]
        refused = [message.split()[2] for message in called if message.endswith("handshake")]
        if refused:
            until = max(tools.service(name=refused[0])["certificates_until"])
            cause = {"kind": "certificate", "where": refused[0], "began": until}
            respond(tools, now, cause)
            return cause
        waiting += sorted({message.split()[2] for message in called} - set(waiting))
        if risen and not called:
            level = sum(before.values()) + after[risen[0]] // 2
            sources[name] = (risen[0], onset(tools, name, now, level))
    cause = explain(tools, now, sources)
    respond(tools, now, cause)
    return cause


def onset(tools, service, now, level):
    """The minute from which the failures of a service have been above a level ever since."""
    since = now + 1
    while since > 0:
        since = max(0, since - WINDOW)
        shown = tools.metric(service=service, name="failures", since=since)
        low = [minute for minute, count in enumerate(shown, since) if count < level]
        if low:
            return low[-1] + 1
    return 0


def explain(tools, now, sources):
    """The cause, from the services that fail although no service that they call fails."""
    where = sorted(sources)[0]
    message, began = sources[where]
    service = tools.service(name=where)
    if message == HANDLER:
        released = any(each["minute"] == began for each in tools.versions(service=where))
        return {"kind": "release" if released else "setting", "where": where, "began": began}
    beside = tools.hosts()[service["host"]]
    if len(beside) > 1 and all(begins(tools, name, message, began) for name in beside):
        return {"kind": "host", "where": service["host"], "began": began}
    if tools.metric(service=where, name="connections", since=now)[0] < service["connection_limit"]:
        return {"kind": "flood", "where": where, "began": began}
    climbing = []
    for change in tools.changes(service=where):
        minute = change["minute"]
        earlier = tools.metric(service=where, name="connections", since=minute - 12)[0]
        later = tools.metric(service=where, name="connections", since=minute)
        if later[0] - earlier < 6 and later[12] - later[0] > 6:
            climbing.append(minute)
    return {"kind": "leak", "where": where, "began": climbing[0]}


def begins(tools, service, message, minute):
    """Whether a service logs a message in a minute and did not in the one before."""
    shown = [message in tools.log(service=service, minute=each) for each in (minute - 1, minute)]
    return shown == [False, True]


def respond(tools, now, cause):
    where = cause["where"]

    def restart_all(names):
        for name in names:
            tools.fail_over(service=name) if tools.service(name=name)["stateful"] else tools.restart(
                service=name
            )

    for text in tools.runbook(kind=cause["kind"]):
        step = next(name for name in STEPS if STEPS[name] == text)
        if step == "notify":
            tools.notify(team=tools.service(name=where)["team"])
        elif step == "notify teams":
            for team in sorted({tools.service(name=name)["team"] for name in tools.hosts()[where]}):
                tools.notify(team=team)
        elif step == "drain":
            tools.drain(service=where)
        elif step == "undrain":
            tools.undrain(service=where)
        elif step == "restart":
            restart_all([where])
        elif step == "restart callers":
            restart_all(tools.callers(name=where))
        elif step == "roll back":
            earlier = [each for each in tools.versions(service=where) if each["minute"] < cause["began"]]
            standing = [each for each in earlier if not each["withdrawn"]]
            tools.roll_back(service=where, version=standing[-1]["version"])
        elif step == "change back":
            change = next(each for each in tools.changes(service=where) if each["minute"] == cause["began"])
            tools.change_setting(service=where, setting=change["setting"], value=change["old"])
        elif step == "renew":
            tools.renew_certificate(service=where)
        elif step == "block":
            usual, shown = (tools.clients(service=where, minute=minute) for minute in (0, now))
            total, before = sum(shown.values()), sum(usual.values())
            client = max(sorted(shown), key=lambda each: shown[each] * before - usual[each] * total)
            tools.block_client(service=where, client=client)
        elif step == "move":
            for name in tools.hosts()[where]:
                running = {host: len(names) for host, names in tools.hosts().items() if host != where}
                tools.move(service=name, host=min(sorted(running), key=lambda host: running[host]))


NAMES = (
    "web app shop account basket search orders prices offers stock payments invoices delivery routing mail "
    "ratings images sessions customers tokens taxes ledger archive settings exports labels "
    "returns coupons reviews carriers refunds vouchers parcels reports alerts audits"
).split()
TEAMS = ["amber", "birch", "cobalt", "delta", "ember"]
SETTINGS = ["cache_limit", "pool_limit", "retry_limit", "batch_limit", "thread_limit", "queue_limit"]
VALUES = ["16", "20", "40", "50", "64", "80", "100", "200", "300"]


def draw_services(random, size: int, hosts: list[str]) -> dict[str, dict]:
    """Services that call only later ones, each of them called by some earlier one but for the first few."""
    names = random.sample(NAMES[: size + 2], size)
    services = {}
    for place, name in enumerate(names):
        later = names[place + 1 : place + 5]
        services[name] = {
            "calls": sorted(random.sample(later, min(len(later), random.choice([1, 2, 2])))),
            "host": random.choice(hosts),
            "team": random.choice(TEAMS),
            "stateful": random.random() < 0.4,
            "certificates_until": [],
            "connection_limit": 0,
        }
    return services


def draw_runbook(random, kind: str) -> list[str]:
    if kind == "host":
        return ["notify teams", "move"]
    core = {"release": "roll back", "setting": "change back", "leak": "change back", "flood": "block"}
    steps = [core.get(kind, "renew")]
    steps += ["restart"] if kind in ("leak", "certificate") else random.choice([[], ["restart"]])
    steps += random.choice([[], ["restart callers"], ["restart callers"]])
    if random.random() < 0.5:
        steps = ["drain", *steps, "undrain"]
    return random.choice([["notify", *steps], [*steps, "notify"]])


def draw_releases(random, now: int, busy: list[int]) -> list[dict]:
    """The versions of a service, the last one near the busy minutes, after at most two withdrawn ones."""
    withdrawn = random.choice([0, 1, 1, 2])
    minutes = sorted(random.sample(range(5, busy[0] - 30), random.choice([1, 2]) + withdrawn))
    minutes.append(min(now - 8, random.choice(busy) + random.choice([-5, -3, -2, 2, 4])))
    major, last = random.randint(1, 6), len(minutes) - 1
    return [
        {"version": f"{major}.{place}", "minute": minute, "withdrawn": last - withdrawn <= place < last}
        for place, minute in enumerate(minutes)
    ]


def draw_changes(random, settings: dict[int, str]) -> list[dict]:
    """Changes of the settings given for some minutes; each finds the value that the one before has left."""
    values, changes = {}, []
    for minute, setting in sorted(settings.items()):
        old = values.get(setting) or random.choice(VALUES)
        values[setting] = random.choice([each for each in VALUES if each != old])
        changes.append({"minute": minute, "setting": setting, "old": old, "new": values[setting]})
    return changes


def draw_guilty_change(random, config: dict, where: str, began: int) -> None:
    """Let a change in a minute be the cause; the same setting is changed elsewhere and earlier as well."""
    services, changes = config["services"], config["changes"]
    guilty = random.choice(SETTINGS)
    harmless = [each for each in SETTINGS if each != guilty]
    settings = {each["minute"]: each["setting"] for each in changes[where] if each["minute"] < began - 40}
    settings[random.randint(40, began - 60)] = random.choice([guilty, random.choice(harmless)])
    settings[began] = guilty
    full = began + services[where]["connection_limit"] - config["normal"][where]["connections"]
    after = full - random.randint(1, 4)
    if began + 14 < after < config["now"] - 13:
        settings[after] = random.choice(harmless)
    changes[where] = draw_changes(random, settings)
    for name in random.sample([name for name in sorted(services) if name != where], 2):
        settings = {each["minute"]: each["setting"] for each in changes[name]}
        settings[random.choice(sorted(settings))] = guilty
        changes[name] = draw_changes(random, settings)


def draw_certificates(random, called: bool, now: int, began: int) -> list[int]:
    """The minutes in which certificates of a service expire; where others call it, one is still valid."""
    expired = [began + random.randint(-60, now - began)] if random.random() < 0.4 else []
    return expired + [now + random.randint(200, 30000)] * (called or not expired)


def draw_spells(
    random, services: dict, now: int, began: int, releases: dict, failing: list[str]
) -> list[dict]:
    """Harmless failures: calls that fail all day, and spells of services that the cause spares."""
    spells = []
    for name in sorted(services):
        if services[name]["calls"] and random.random() < 0.4:
            callee = random.choice(services[name]["calls"])
            message = f"call to {callee} {random.choice(['timed out', 'timed out', 'refused the handshake'])}"
            count = random.choice([random.randint(4, 9), random.randint(20, 60)])
            spells.append({"service": name, "since": 0, "until": now, "count": count, "message": message})
        if name in failing or random.random() < 0.3:
            continue
        near = random.choice([began - random.randint(3, 30), random.randint(began + 3, now - 3)])
        since = random.choice([near, releases[name][-1]["minute"]])
        passed = min(releases[name][-1]["minute"], began - 12)
        since, until = random.choice(
            [(0, now), (since, now), (since, now), (passed, passed + random.randint(3, 9))]
        )
        count, message = random.randint(20, 60), random.choice([HANDLER, QUEUE])
        spells.append({"service": name, "since": since, "until": until, "count": count, "message": message})
    return spells


def draw_config(random, difficulty: int, kind: str) -> Config:
    size, hosts = (4, 7, 11, 16, 35)[difficulty - 1], ["h1", "h2", "h3", "h4", "h5"][: 2 + difficulty // 2]
    now, past = random.randint(700, 1200), (28, 60, 90, 160, 420)[difficulty - 1]
    services = draw_services(random, size, hosts)
    where = random.choice(hosts if kind == "host" else sorted(services))
    began = now - random.randint(past * 2 // 3, past)
    called = {callee for service in services.values() for callee in service["calls"]}
    normal, releases, changes = {}, {}, {}
    for name, service in services.items():
        normal[name] = {
            "requests": random.randint(80, 400),
            "connections": random.randint(20, 60),
            "delay": random.randint(1, 5),
        }
        service["connection_limit"] = normal[name]["connections"] + random.randint(18, past // 2 + 12)
        service["certificates_until"] = draw_certificates(random, name in called, now, began)
        releases[name] = draw_releases(random, now, [began, began + 4])
        near = min(now - 8, began + random.choice([-6, -2, 3, 5, 9]))
        minutes = [near, *(began - random.randint(50, 200) for _ in range(random.choice([0, 1, 2])))]
        changes[name] = draw_changes(random, {minute: random.choice(SETTINGS) for minute in minutes})
    config = {
        "now": now,
        "services": services,
        "normal": normal,
        "hosts": hosts,
        "clients": sorted(random.sample(["app", "kiosk", "partner", "crawler", "reseller"], 3)),
        "releases": releases,
        "changes": changes,
        "spells": [],
        "runbook": {each: draw_runbook(random, each) for each in KINDS},
        "cause": {"kind": kind, "where": where, "began": began},
        "client": "",
    }
    config["client"] = random.choice(config["clients"])
    config["spells"] = draw_spells(random, services, now, began, releases, failing_first(config))
    if kind == "release":
        releases[where][-1]["minute"] = began
    elif kind == "certificate":
        services[where]["certificates_until"] = random.choice([[], [began - random.randint(5, 90)]]) + [began]
    elif kind in ("setting", "leak"):
        draw_guilty_change(random, config, where, began)
    return config


MAY_BE_RIGHT = [
    "withdrawn versions come back",
    "harmless failures are blamed",
    "an expired certificate is blamed",
]
KINDS = ["release", "setting", "flood", "certificate", "leak", "host"]


def generate(random, difficulty: int) -> Config:
    kind = random.choice(KINDS[: (3, 4, 5, 6, 6)[difficulty - 1]])
    while True:
        config = draw_config(random, difficulty, kind)
        cause, failing = config["cause"], failing_since(config)
        if len(failing) < (2, 4, 6, 10, 28)[difficulty - 1] or max(failing.values()) > config["now"] - 6:
            continue
        own = services_on(config, cause["where"]) if cause["kind"] == "host" else [cause["where"]]
        if cause["kind"] == "host" and len(own) < 2:
            continue
        right = [
            name
            for name, each in mistakes(config).items()
            if name not in MAY_BE_RIGHT and accepts(each["answer"], each["state"], config)
        ]
        if not right or (difficulty == 1 and len(right) < 2):
            return config
