"""You run tonight's release train. {releases} services have a release waiting. In the end each of them either
runs its new version or is postponed.

The rules of the train:
- A release can be deployed once all services that it needs run their new versions. It takes a dry run that
  passes, then an approval, then the deployment. An approval and the dry run behind it lapse as soon as any
  service is deployed or rolled back.
- A dry run fails for one of three reasons. If a service that is needed does not run its new version, deploy
  that one first, or postpone the release if that one is postponed. If a setting is not as required, set it as
  the release notes say. If the package is damaged, the release is postponed. A release whose approval is
  declined is postponed as well.
- After each deployment, watch the service and each service that it needs. If one of them is degraded, the
  release just deployed is the cause: roll it back and postpone it.
- The load test names services that run their new versions and do not stand up to load. Their releases are
  rolled back and postponed. Two services joined by a plus sign fail only together: of these two, the one
  whose name comes later in the alphabet is rolled back and postponed. If one of the two is gone already for
  another reason, the other stays.
- A service cannot be rolled back while another one that needs it runs its new version: that one is rolled
  back and postponed first.
- A release that is marked as permanent can never be rolled back. Before it is deployed, it is rehearsed; if
  the rehearsal is degraded, it is postponed. A release whose rehearsal is healthy stands up to load, so the
  load test will not name it alone. And before a permanent release is deployed, a load test has to find
  nothing wrong with any of the services that it needs, made after all of them were deployed.
- A release that needs a service whose release is postponed is postponed as well. Nothing else is postponed.
- Before you finish, a load test must have been made after the last deployment; you need not test after each
  one.

You have {load_tests} load tests tonight. Nothing has to be reported.
"""

from typing import Literal, TypedDict

META = {
    "title": "Release train",
    "tags": ["operations", "irreversible actions"],
    "public": ["releases", "load_tests"],
    "license": "MIT",
    "source": "original",
}


class Release(TypedDict):
    service: str
    running: str
    new: str
    needs: list[str]
    permanent: bool
    setting: str
    value: int
    damaged: bool
    approved: bool
    fault: Literal["none", "itself", "needed", "load"]


class Config(TypedDict):
    releases: int
    load_tests: int
    train: list[Release]
    clashing: list[str]


class ReleaseView(TypedDict):
    service: str
    running: str
    new: str
    needs: list[str]
    permanent: bool
    notes: str


class State(TypedDict):
    running: dict[str, str]
    postponed: list[str]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.train = {release["service"]: release for release in config["train"]}
        self.deployed = []
        self.postponed = []
        self.settings = {}
        self.passed = []
        self.approved = []
        self.load_tests = config["load_tests"]

    def list_services(self) -> list[str]:
        """List the services of the train."""
        return sorted(self.train)

    def read_release(self, service: str) -> ReleaseView:
        """Read a release: the version that runs, the new one, the services that it needs, and its notes.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        notes = f"Version {found['new']} of {service}."
        if found["setting"]:
            notes += f" The setting {found['setting']} has to be {found['value']}."
        return {
            "service": service,
            "running": found["new" if service in self.deployed else "running"],
            "new": found["new"],
            "needs": found["needs"],
            "permanent": found["permanent"],
            "notes": notes,
        }

    def dry_run(self, service: str) -> str:
        """Make a dry run of a release; returns "passes", or why it fails.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        missing = [name for name in found["needs"] if name not in self.deployed]
        if service in self.deployed:
            raise ValueError("this service runs its new version already")
        if missing:
            return f"fails: {missing[0]} does not run its new version"
        if found["damaged"]:
            return "fails: the package is damaged"
        if found["setting"] and self.settings.get(service) != found["value"]:
            return f"fails: the setting {found['setting']} is not as required"
        if service not in self.passed:
            self.passed.append(service)
        return "passes"

    def set_setting(self, service: str, setting: str, value: int) -> int:
        """Set a setting that the new version of a service has; returns its value.

        Args:
            service: name of the service.
            setting: name of the setting.
            value: its value, from 0 to 1000.
        """
        if known(self.train, service)["setting"] != setting or not setting:
            raise ValueError("the new version of this service has no such setting")
        if not 0 <= value <= 1000:
            raise ValueError("value must be between 0 and 1000")
        self.settings[service] = value
        return value

    def rehearse(self, service: str) -> Literal["healthy", "degraded"]:
        """Rehearse a permanent release on a copy of the data.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        if not found["permanent"]:
            raise ValueError("only permanent releases can be rehearsed")
        return "healthy" if found["fault"] == "none" else "degraded"

    def request_approval(self, service: str) -> Literal["approved", "declined"]:
        """Ask the release manager to approve a deployment; needs a dry run that has passed.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        if service not in self.passed:
            raise ValueError("no dry run of this release has passed since the last deployment or roll-back")
        if not found["approved"]:
            return "declined"
        if service not in self.approved:
            self.approved.append(service)
        return "approved"

    def deploy(self, service: str) -> str:
        """Deploy an approved release; returns the version that runs now.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        if service not in self.approved:
            raise ValueError("this release has no approval that still holds")
        self.deployed.append(service)
        self.postponed = [name for name in self.postponed if name != service]
        self.passed, self.approved = [], []
        return found["new"]

    def watch(self, service: str) -> Literal["healthy", "degraded"]:
        """Watch a service for some minutes.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        # A permanent release that did not pass its rehearsal is degraded in service too.
        shows = found["fault"] == "itself" or (found["permanent"] and found["fault"] != "none")
        own = shows and service in self.deployed
        harmed = any(
            self.train[name]["fault"] == "needed" and self.train[name]["needs"][0] == service
            for name in self.deployed
        )
        return "degraded" if own or harmed else "healthy"

    def load_test(self) -> list[str]:
        """Make a load test of all services; returns what does not stand up to load."""
        if self.load_tests == 0:
            raise ValueError("there can be no more load tests tonight")
        self.load_tests -= 1
        weak = [name for name in sorted(self.deployed) if self.train[name]["fault"] == "load"]
        clashing = self.config["clashing"]
        if clashing and all(name in self.deployed for name in clashing):
            weak.append("+".join(clashing))
        return weak

    def roll_back(self, service: str) -> str:
        """Roll a service back; returns the version that runs now.

        Args:
            service: name of the service.
        """
        found = known(self.train, service)
        if service not in self.deployed:
            raise ValueError("this service does not run its new version")
        if found["permanent"]:
            raise ValueError("this release is permanent: it cannot be rolled back")
        above = [name for name in sorted(self.deployed) if service in self.train[name]["needs"]]
        if above:
            raise ValueError(f"the new version of {above[0]} needs this one")
        self.deployed.remove(service)
        self.passed, self.approved = [], []
        return found["running"]

    def postpone(self, service: str) -> int:
        """Postpone a release that is not deployed; returns how many are postponed now.

        Args:
            service: name of the service.
        """
        known(self.train, service)
        if service in self.deployed:
            raise ValueError("this release is deployed")
        if service not in self.postponed:
            self.postponed.append(service)
        return len(self.postponed)

    def final_state(self) -> State:
        running = {
            name: release["new" if name in self.deployed else "running"]
            for name, release in self.train.items()
        }
        return {"running": running, "postponed": sorted(self.postponed)}


def known(train, service):
    if service not in train:
        raise ValueError("there is no such service in the train")
    return train[service]


def closed(train, wanted):
    """Those of the wanted releases that need no release that is not wanted."""
    kept = set(wanted)
    changed = True
    while changed:
        left = {name for name in kept if all(need in kept for need in train[name]["needs"])}
        changed, kept = left != kept, left
    return kept


def deployed_in_the_end(config: Config, forget: str = "") -> set[str]:
    """The services that run their new versions in the end; with one rule forgotten, if it is named."""
    train = {release["service"]: release for release in config["train"]}
    found = set()
    for name, release in train.items():
        fault = release["fault"]
        if release["permanent"]:
            sound = fault == "none" or forget == "does not rehearse"
        elif fault == "load":
            sound = forget in {"makes no load test", "tests the load only in the end"}
        else:
            forgiven = {"itself": "does not watch", "needed": "does not watch what is needed"}
            sound = fault == "none" or forget == forgiven[fault]
        if release["setting"] and forget == "stops at a setting":
            sound = False
        if sound and release["approved"] and not release["damaged"]:
            found.add(name)
    found = closed(train, found)
    if forget == "tests the load only in the end":
        # What a permanent release needs can no longer be rolled back.
        stuck = [name for name in sorted(found) if train[name]["permanent"]]
        for name in stuck:
            stuck += train[name]["needs"]
        found = closed(train, {name for name in found if name in stuck or train[name]["fault"] != "load"})
    clashing = config["clashing"]
    if clashing and found.issuperset(clashing) and forget != "leaves a clash":
        found = closed(train, found - {clashing[0 if forget == "rolls back the wrong one" else 1]})
    return found


def load_tests_needed(config: Config) -> int:
    """How many load tests it takes if all that can be deployed is deployed before each of them."""
    train = {release["service"]: release for release in config["train"]}
    clashing = set(config["clashing"])
    wanted = deployed_in_the_end(config, "leaves a clash")
    running, cleared, tests = set(), set(), 0
    while True:
        before, ready = set(running), wanted
        while ready:
            ready = set()
            for name in wanted - running:
                tested = cleared if train[name]["permanent"] else running
                if tested.issuperset(train[name]["needs"]):
                    ready.add(name)
            running |= ready
        # A release that is postponed after all may be given its load test before that is known.
        waiting = [
            name
            for name, release in train.items()
            if release["permanent"] and name not in running
            if running.issuperset(release["needs"]) and not cleared.issuperset(release["needs"])
        ]
        if running == before and not waiting:
            return tests
        tests += 1
        cleared = set(running)
        if clashing and clashing <= running:
            wanted = deployed_in_the_end(config)
            running &= wanted
            # The one that stays has not been found in order yet.
            cleared = running - clashing


def state_with(config: Config, deployed: set[str]) -> State:
    running, postponed = {}, []
    for release in config["train"]:
        name = release["service"]
        running[name] = release["new" if name in deployed else "running"]
        if name not in deployed:
            postponed.append(name)
    return {"running": running, "postponed": sorted(postponed)}


def accepts(state: State, config: Config) -> bool:
    return state == state_with(config, deployed_in_the_end(config))


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    rules = [
        "does not watch",
        "does not rehearse",
        "stops at a setting",
        "makes no load test",
        "tests the load only in the end",
    ]
    if any(release["fault"] == "needed" for release in config["train"]):
        rules.append("does not watch what is needed")
    if config["clashing"]:
        rules += ["leaves a clash", "rolls back the wrong one"]
    return {rule: {"state": state_with(config, deployed_in_the_end(config, rule))} for rule in rules}


def solve(tools, releases, load_tests):
    train = {name: tools.read_release(service=name) for name in tools.list_services()}
    deployed, given_up, tested, in_order = [], [], [], []

    def withdraw(name):
        for above in train:
            if name in train[above]["needs"] and above in deployed:
                withdraw(above)
        tools.roll_back(service=name)
        deployed.remove(name)
        given_up.append(name)

    def try_to_deploy(name):
        release = train[name]
        answer = tools.dry_run(service=name)
        if "setting" in answer:
            words = release["notes"].strip(".").split()
            tools.set_setting(service=name, setting=words[words.index("setting") + 1], value=int(words[-1]))
            answer = tools.dry_run(service=name)
        sound = answer == "passes"
        if sound and release["permanent"]:
            sound = tools.rehearse(service=name) == "healthy"
        if not sound or tools.request_approval(service=name) == "declined":
            given_up.append(name)
            return
        tools.deploy(service=name)
        deployed.append(name)
        for watched in [name, *release["needs"]]:
            if tools.watch(service=watched) == "degraded":
                withdraw(name)
                return

    while True:
        open_ones = [name for name in train if name not in deployed + given_up]
        ready = [name for name in open_ones if all(need in deployed for need in train[name]["needs"])]
        easy = [name for name in ready if not train[name]["permanent"]]
        safe = [name for name in ready if all(need in in_order for need in train[name]["needs"])]
        if easy or safe:
            try_to_deploy((easy or safe)[0])
        elif ready or set(deployed) != set(tested):
            found = tools.load_test()
            for weak in found:
                names = weak.split("+")
                if all(name in deployed for name in names):
                    withdraw(max(names))
            tested = list(deployed)
            # The one that stays of two that failed together has not been found in order yet.
            in_order = [name for name in deployed if name not in "+".join(found).split("+")]
        else:
            break
    for name in train:
        if name not in deployed:
            tools.postpone(service=name)


SERVICES = (
    "accounts,billing,catalogue,delivery,exports,forms,gateway,history,invoices,ledger,mailer,notices,"
    "orders,pricing,quotes,reports,search,stock,tracking,users,vouchers"
).split(",")
SETTINGS = "batch_size,cache_minutes,queue_length,retry_limit,worker_count".split(",")


def draw_release(random, difficulty, name, earlier):
    faults = ["none", "none", "none", "itself", "load"]
    if difficulty > 1 and earlier:
        faults.append("needed")
    major = random.randint(1, 9)
    minor = random.randint(0, 8)
    return {
        "service": name,
        "running": f"{major}.{minor}",
        "new": f"{major}.{minor + 1}",
        "needs": sorted(random.sample(earlier, min(len(earlier), random.choice([0, 1, 1, 2])))),
        "permanent": random.random() < 0.3,
        "setting": random.choice(SETTINGS) if random.random() < 0.35 else "",
        "value": random.randint(1, 99),
        "damaged": random.random() < 0.06,
        "approved": random.random() < 0.92,
        "fault": random.choice(faults),
    }


# One release for each rule: its fault, whether it is permanent, and the places of those that it needs.
ROLES = [
    ("none", False, []),
    ("load", False, []),
    ("none", True, [1]),
    ("itself", True, [0]),
    ("itself", False, [0]),
    ("needed", False, [0]),
    ("none", True, [0]),
    ("none", True, [6]),
]


def generate(random, difficulty: int) -> Config:
    count = (4, 7, 9, 14, 21)[difficulty - 1]
    while True:
        names = random.sample(SERVICES, count)
        train = []
        for place, name in enumerate(names):
            train.append(draw_release(random, difficulty, name, names[max(0, place - 5) : place]))
        roles = ROLES[:2] + ROLES[3:5] if difficulty == 1 else ROLES[: 8 if difficulty > 3 else 7]
        for release, (fault, permanent, needs) in zip(train, roles):
            release.update({"damaged": False, "approved": True, "fault": fault, "permanent": permanent})
            release["needs"] = [names[need] for need in needs]
        for release in train:
            if release["fault"] == "needed" and not release["needs"]:
                release["fault"] = "none"
        config = {"releases": count, "load_tests": 0, "train": train, "clashing": []}
        found = deployed_in_the_end(config)
        by_name = {release["service"]: release for release in train}
        if difficulty == 5 and len(found) > 3:
            # The later one of the two, and all that needs it, can still be rolled back.
            one, other = sorted(random.sample(sorted(found), 2))
            if one in by_name[other]["needs"]:
                continue
            config["clashing"] = [one, other]
            gone = found - deployed_in_the_end(config)
            if one in gone or any(by_name[name]["permanent"] for name in gone):
                continue
        right = deployed_in_the_end(config)
        config["load_tests"] = max(2, load_tests_needed(config))
        harmless = [rule for rule in mistakes(config) if deployed_in_the_end(config, rule) == right]
        enough = len(right) >= count // 3 and (difficulty < 5 or len(config["clashing"]) == 2)
        if enough and len(harmless) <= (1 if difficulty == 1 else 0):
            random.shuffle(train)
            return config
