"""Put the access rights of our department in order before the audit. Today is day {today}; days are numbered,
and a date "until" includes that day.

A permission reaches a person as a direct grant or through a group. A group gives its own permissions and all
that the groups included in it give. You can change grants and memberships, but not the groups.

In the end everybody must have exactly these permissions, no more and no fewer:
- People whose employment or contract has ended (the last day is before today) keep nothing.
- Everybody else has the permissions of the profile of their job. Contractors have no restricted permission by
  their profile.
- An exception adds a permission. It is valid until its date, and only if the owner of the permission has
  approved it and is somebody else than the person who gets it. An approval stays good when its owner has left
  since. An exception may add a restricted permission for a contractor, but it is void if the permission
  conflicts with one that the person has by the profile of their job.
- Whoever is away keeps their permissions. The deputy of somebody who is away today has in addition the
  permissions of the profile of that person's job (all of it, whatever that person has themselves). Two sorts
  are left out: permissions that conflict with one that the deputy has by their own profile or exceptions, and
  restricted permissions if the deputy is a contractor.
- If the deputy is away as well, the deputy of the deputy takes this over in their place, and so on. If the
  deputy has left, or is away and names no deputy of their own, nobody takes it over. Nobody needs a deputy
  once their own employment or contract has ended.

How permissions have to be given: use groups wherever you can, and grant directly only what no suitable group
gives. A group is suitable if it gives nothing that the person must not have. Where a suitable group gives a
permission, the person must be in one that does, and a direct grant of the permission has to go. More groups
than needed do no harm.

People are at work while you do this, and the log shows every change to the auditors. So nobody may have, even
for a moment, a permission that they did not have before and must not have in the end, and nobody may lose,
even for a moment, a permission that they had before and must have in the end.

There is nothing to answer. Submit when the rights are in order.
"""

from typing import Literal, TypedDict

META = {
    "title": "Access review",
    "tags": ["administration", "policy", "security"],
    "public": ["today"],
    "license": "MIT",
    "source": "original",
}


class Person(TypedDict):
    job: str
    kind: Literal["employee", "contractor"]
    last_day: int | None
    away_until: int | None
    deputy: str | None
    groups: list[str]
    direct: list[str]


class Group(TypedDict):
    permissions: list[str]
    includes: list[str]


class Permission(TypedDict):
    owner: str
    restricted: bool
    conflicts_with: list[str]


class Waiver(TypedDict):
    permission: str
    until: int
    approved_by: str


class Config(TypedDict):
    today: int
    people: dict[str, Person]
    groups: dict[str, Group]
    permissions: dict[str, Permission]
    profiles: dict[str, list[str]]
    exceptions: dict[str, list[Waiver]]


class Rights(TypedDict):
    groups: list[str]
    direct: list[str]


class State(TypedDict):
    rights: dict[str, Rights]
    given: dict[str, list[str]]
    taken: dict[str, list[str]]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.rights = initial_rights(config)
        self.given = {name: [] for name in config["people"]}
        self.taken = {name: [] for name in config["people"]}

    def list_people(self) -> list[str]:
        """List the names of all people who have an account."""
        return sorted(self.config["people"])

    def list_groups(self) -> list[str]:
        """List the names of all groups."""
        return sorted(self.config["groups"])

    def person(self, name: str) -> Person:
        """Look up a person: job, contract, absence, deputy, groups and direct grants as they are now.

        Args:
            name: name of the person.
        """
        return {**known(self.config["people"], name, "person"), **self.rights[name]}

    def group(self, name: str) -> Group:
        """Look up a group: its own permissions and the groups included in it.

        Args:
            name: name of the group.
        """
        return known(self.config["groups"], name, "group")

    def permission(self, name: str) -> Permission:
        """Look up a permission: its owner, whether it is restricted, and what it conflicts with.

        Args:
            name: name of the permission.
        """
        return known(self.config["permissions"], name, "permission")

    def profile(self, job: str) -> list[str]:
        """List the permissions of the profile of a job.

        Args:
            job: name of the job.
        """
        return known(self.config["profiles"], job, "job")

    def exceptions(self, name: str) -> list[Waiver]:
        """List the exceptions on file for a person.

        Args:
            name: name of the person.
        """
        known(self.config["people"], name, "person")
        return self.config["exceptions"].get(name, [])

    def add_to_group(self, name: str, group: str) -> Rights:
        """Add a person to a group.

        Args:
            name: name of the person.
            group: name of the group.
        """
        self.group(group)
        return change(self, name, "groups", group, True)

    def remove_from_group(self, name: str, group: str) -> Rights:
        """Remove a person from a group.

        Args:
            name: name of the person.
            group: name of the group.
        """
        return change(self, name, "groups", group, False)

    def grant(self, name: str, permission: str) -> Rights:
        """Grant a permission directly to a person.

        Args:
            name: name of the person.
            permission: name of the permission.
        """
        self.permission(permission)
        return change(self, name, "direct", permission, True)

    def revoke(self, name: str, permission: str) -> Rights:
        """Revoke a direct grant of a person.

        Args:
            name: name of the person.
            permission: name of the permission.
        """
        return change(self, name, "direct", permission, False)

    def final_state(self) -> State:
        return {"rights": self.rights, "given": self.given, "taken": self.taken}


def known(table: dict, name: str, kind: str):
    if name not in table:
        raise ValueError(f"there is no {kind} {name}")
    return table[name]


def change(environment, name: str, where: str, item: str, present: bool) -> Rights:
    """Adds or removes a membership or grant, and logs what the person has gained or lost by it."""
    known(environment.config["people"], name, "person")
    rights = environment.rights[name]
    if (item in rights[where]) == present:
        raise ValueError(f"{name} {'already has' if present else 'does not have'} {item}")
    before = permissions_of(environment.config["groups"], rights)
    items = [*rights[where], item] if present else [each for each in rights[where] if each != item]
    environment.rights[name] = {**rights, where: sorted(items)}
    after = permissions_of(environment.config["groups"], environment.rights[name])
    environment.given[name] += sorted(after - before)
    environment.taken[name] += sorted(before - after)
    return environment.rights[name]


def initial_rights(config: Config) -> dict[str, Rights]:
    people = config["people"]
    return {name: {"groups": people[name]["groups"], "direct": people[name]["direct"]} for name in people}


def group_permissions(groups: dict[str, Group], name: str) -> set[str]:
    reached = [name]
    for each in reached:
        reached += [inner for inner in groups[each]["includes"] if inner not in reached]
    return {permission for each in reached for permission in groups[each]["permissions"]}


def permissions_of(groups: dict[str, Group], rights: Rights) -> set[str]:
    return set(rights["direct"]).union(*[group_permissions(groups, name) for name in rights["groups"]])


def covers(config: Config, name: str, forgotten: str) -> str | None:
    """Who stands in for somebody who is away today."""
    people, today = config["people"], config["today"]
    away = [each for each in people if people[each]["away_until"] is not None]
    away = [each for each in away if not has_left(people[each], today)]
    if forgotten != "absences that are over count":
        away = [each for each in away if people[each]["away_until"] >= today]
    if name not in away:
        return None
    deputy = people[name]["deputy"]
    for _ in people:
        if deputy in away and forgotten != "deputies who are away are not replaced":
            deputy = people[deputy]["deputy"]
    return deputy


def has_left(person: Person, today: int) -> bool:
    return person["last_day"] is not None and person["last_day"] < today


def due_permissions(config: Config, name: str, forgotten: str) -> set[str]:
    """What a person must have in the end, by all rules but the forgotten one."""
    people, permissions, today = config["people"], config["permissions"], config["today"]
    person = people[name]
    if has_left(person, today) and forgotten != "people who left keep their rights":
        return set()
    contractor = person["kind"] == "contractor" and forgotten != "contractors are treated as employees"

    def by_profile(job):
        return {
            each for each in config["profiles"][job] if not (contractor and permissions[each]["restricted"])
        }

    def conflicts(permission, others):
        return bool(others.intersection(permissions[permission]["conflicts_with"]))

    own = by_profile(person["job"])
    due = set(own)
    for waiver in config["exceptions"].get(name, []):
        permission, approved_by = waiver["permission"], waiver["approved_by"]
        valid = waiver["until"] >= today or forgotten == "expired exceptions count"
        owner = permissions[permission]["owner"]
        valid &= approved_by == owner or forgotten == "anybody may approve"
        valid &= approved_by != name or forgotten == "owners may approve for themselves"
        valid &= not conflicts(permission, own) or forgotten == "conflicts are ignored"
        if valid:
            due.add(permission)
    granted = set(due)
    for other in people:
        if covers(config, other, forgotten) == name and forgotten != "deputies get nothing":
            extra = by_profile(people[other]["job"])
            due |= {
                each for each in extra if forgotten == "conflicts are ignored" or not conflicts(each, granted)
            }
    return due


def fitting_groups(groups: dict[str, Group], due: set[str], permission: str) -> list[str]:
    found = {name: group_permissions(groups, name) for name in sorted(groups)}
    return [name for name in found if permission in found[name] and found[name] <= due]


def accepts(state: State, config: Config) -> bool:
    groups = config["groups"]
    for name, rights in state["rights"].items():
        due = due_permissions(config, name, "")
        if permissions_of(groups, rights) != due:
            return False
        if any(fitting_groups(groups, due, permission) for permission in rights["direct"]):
            return False
        if not due.issuperset(state["given"][name]) or due.intersection(state["taken"][name]):
            return False
    return True


MISTAKES = [
    "people who left keep their rights",
    "contractors are treated as employees",
    "expired exceptions count",
    "anybody may approve",
    "owners may approve for themselves",
    "conflicts are ignored",
    "deputies get nothing",
    "absences that are over count",
    "deputies who are away are not replaced",
]


def state_after(config: Config, forgotten: str) -> State:
    """The state to which somebody brings the rights who forgets one rule and makes no other mistake."""
    groups = config["groups"]
    state = {"rights": {}, "given": {}, "taken": {}}
    for name, before in initial_rights(config).items():
        due = due_permissions(config, name, forgotten)
        fitting = {permission: fitting_groups(groups, due, permission) for permission in sorted(due)}
        after = {
            "groups": sorted({fitting[permission][0] for permission in fitting if fitting[permission]}),
            "direct": sorted(permission for permission in fitting if not fitting[permission]),
        }
        if forgotten == "everything is granted directly":
            after = {"groups": [], "direct": sorted(due)}
        if forgotten == "included groups are overlooked":
            after = {"groups": [], "direct": []}
            for permission in sorted(due):
                own = [each for each in sorted(groups) if permission in groups[each]["permissions"]]
                seen = [each for each in own if due.issuperset(groups[each]["permissions"])]
                after["groups" if seen else "direct"] += seen[:1] or [permission]
        had, has = permissions_of(groups, before), permissions_of(groups, after)
        state["rights"][name] = after
        state["given"][name] = sorted(has - had)
        state["taken"][name] = sorted(
            had if forgotten == "rights are taken before new ones are given" else had - has
        )
    return state


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    slips = [
        "everything is granted directly",
        "included groups are overlooked",
        "rights are taken before new ones are given",
    ]
    absences = any(person["away_until"] is not None for person in config["people"].values())
    rules = MISTAKES if absences else MISTAKES[:-3]
    return {name: {"state": state_after(config, name)} for name in rules + slips}


def solve(tools, today):
    people = {name: tools.person(name=name) for name in tools.list_people()}
    groups = {name: tools.group(name=name) for name in tools.list_groups()}
    config = {"today": today, "people": people, "groups": groups}
    config["exceptions"] = {
        name: tools.exceptions(name=name) for name in people if not has_left(people[name], today)
    }
    jobs = sorted({people[name]["job"] for name in config["exceptions"]})
    config["profiles"] = {job: tools.profile(job=job) for job in jobs}
    named = {each for job in jobs for each in config["profiles"][job]}
    named |= {waiver["permission"] for waivers in config["exceptions"].values() for waiver in waivers}
    config["permissions"] = {name: tools.permission(name=name) for name in sorted(named)}
    for name in people:
        rights = {"groups": people[name]["groups"], "direct": people[name]["direct"]}
        due = due_permissions(config, name, "") if name in config["exceptions"] else set()
        fitting = {permission: fitting_groups(groups, due, permission) for permission in sorted(due)}
        for permission, suitable in fitting.items():
            if not suitable and permission not in rights["direct"]:
                rights = tools.grant(name=name, permission=permission)
            elif suitable and not set(suitable).intersection(rights["groups"]):
                rights = tools.add_to_group(name=name, group=suitable[0])
        for group in rights["groups"]:
            if not group_permissions(groups, group) <= due:
                tools.remove_from_group(name=name, group=group)
        for permission in rights["direct"]:
            if permission not in due or fitting[permission]:
                tools.revoke(name=name, permission=permission)


SYSTEMS = ["ledger", "payroll", "stock", "orders", "claims", "contracts"]
ACTIONS = ["view", "edit", "approve", "export"]
JOBS = ["bookkeeper", "buyer", "clerk", "controller", "storekeeper", "adviser"]
PEOPLE = (
    "Adams Bauer Conti Diaz Evans Fabre Greco Hansen Ivanov Jensen Kowal Lopez Moreau Novak Olsen Petrov "
    "Quinn Rossi Silva Toth Ueda Vidal Weber Xu Young Zeman"
).split()


def draw_groups(random, profiles: dict, permissions: list[str], count: int) -> dict[str, dict]:
    """Groups that fit a profile, groups that give too much, and groups that give through others."""
    groups = {}
    for job in sorted(profiles):
        half = random.sample(profiles[job], (len(profiles[job]) + 1) // 2)
        groups[f"{job}-base"] = {"permissions": sorted(half), "includes": []}
    for number in range(1, count + 1):
        size = random.choice([1, 1, 2])
        inner = random.sample(sorted(groups), random.choice([1, 1, 2]))
        groups[f"team-{number}"] = {
            "permissions": sorted(random.sample(permissions, size)),
            "includes": inner,
        }
    return groups


def draw_person(random, today: int, difficulty: int, names: list[str], jobs: list[str]) -> dict:
    kind = random.choice(["employee", "employee", "contractor"])
    ends = kind == "contractor" or random.random() < 0.3
    away = difficulty > 3 and random.random() < 0.4
    return {
        "job": random.choice(jobs),
        "kind": kind,
        "last_day": today + random.choice([-20, -3, -1, 0, 15, 40, 90]) if ends else None,
        "away_until": today + random.choice([-4, -1, 0, 3, 9]) if away else None,
        "deputy": random.choice(names) if away else None,
        "groups": [],
        "direct": [],
    }


WAIVERS = ["expired", "approved by another", "approved for oneself", "conflicting", "valid", "valid"]


def draw_exceptions(random, config: dict) -> dict[str, list[dict]]:
    """Exceptions of all sorts, dealt out in turn to the people who still work here."""
    permissions, today = config["permissions"], config["today"]
    staff = [name for name in sorted(config["people"]) if not has_left(config["people"][name], today)]
    waivers = {name: [] for name in staff}
    free = random.sample(sorted(permissions), len(permissions))
    for sort in random.sample(WAIVERS, len(WAIVERS)) * (1 + len(staff) // 6):
        name = random.choice(staff)
        own = config["profiles"][config["people"][name]["job"]]
        for permission in free:
            conflicting = bool(set(permissions[permission]["conflicts_with"]).intersection(own))
            if permission in own or conflicting != (sort == "conflicting") or len(waivers[name]) > 1:
                continue
            if sort == "approved for oneself":
                permissions[permission]["owner"] = name
            owner = permissions[permission]["owner"]
            others = [each for each in sorted(config["people"]) if each != name]
            if owner == name and sort != "approved for oneself":
                permissions[permission]["owner"] = owner = random.choice(others)
            strangers = [each for each in others if each != owner]
            days = [-30, -1] if sort == "expired" else [0, 14, 60]
            waivers[name].append(
                {
                    "permission": permission,
                    "until": today + random.choice(days),
                    "approved_by": random.choice(strangers) if sort == "approved by another" else owner,
                }
            )
            free.remove(permission)
            break
    return waivers


def draw_rights(random, config: dict, name: str) -> dict:
    """What a person has now: the rights of their job or an earlier one, some by group, some directly."""
    groups, person = config["groups"], config["people"][name]
    due = due_permissions(config, name, "")
    earlier = random.choice(sorted(config["profiles"]))
    wished = sorted(due | set(random.sample(config["profiles"][earlier], 2)))
    fitting = [each for each in sorted(groups) if group_permissions(groups, each) <= set(wished)]
    person["groups"] = sorted(random.sample(fitting, min(len(fitting), 1)))
    if random.random() < 0.5:
        person["groups"] = sorted({*person["groups"], random.choice(sorted(groups))})
    missing = [each for each in wished if each not in permissions_of(groups, person)]
    person["direct"] = sorted(random.sample(missing, len(missing) * 2 // 3))
    return person


def draw_config(random, difficulty: int) -> Config:
    today = random.randint(200, 340)
    names = sorted(random.sample(PEOPLE, (4, 6, 10, 16, 24)[difficulty - 1]))
    jobs = sorted(random.sample(JOBS, (2, 2, 3, 4, 5)[difficulty - 1]))
    people = {name: draw_person(random, today, difficulty, names, jobs) for name in names}
    systems = random.sample(SYSTEMS, (2, 2, 3, 4, 5)[difficulty - 1])
    permissions = sorted(f"{system}.{action}" for system in systems for action in ACTIONS)
    for name in names[:2]:
        people[name]["last_day"] = None
    # Editing and approving in the same system conflict.
    rivals = {each: [] for each in permissions}
    for system in systems:
        rivals[f"{system}.approve"].append(f"{system}.edit")
        rivals[f"{system}.edit"].append(f"{system}.approve")
    profiles = {}
    for job in jobs:
        left_out = {f"{system}.{random.choice(['edit', 'approve'])}" for system in systems}
        choices = [each for each in permissions if each not in left_out]
        profiles[job] = sorted(random.sample(choices, min(len(choices), random.randint(3, 5))))
    config = {
        "today": today,
        "people": people,
        "groups": draw_groups(random, profiles, permissions, (2, 3, 4, 6, 8)[difficulty - 1]),
        "permissions": {
            each: {
                "owner": random.choice(names),
                "restricted": each.endswith((".approve", ".export")) and random.random() < 0.6,
                "conflicts_with": rivals[each],
            }
            for each in permissions
        },
        "profiles": profiles,
        "exceptions": {},
    }
    config["exceptions"] = draw_exceptions(random, config)
    for name in names:
        person = config["people"][name]
        if person["deputy"] == name or (
            person["deputy"] and has_left(config["people"][person["deputy"]], today)
        ):
            person["away_until"] = person["deputy"] = None
    staff = [name for name in names if not has_left(people[name], today)]
    away = [each for each in staff if (people[each]["away_until"] or 0) >= today]
    if len(away) > 1:
        people[away[0]]["deputy"] = away[1]
    for name in names:
        config["people"][name] = draw_rights(random, config, name)
    return config


def is_sound(config: Config) -> bool:
    """Whether whoever stands in for somebody is there, and nobody ends up with a conflict."""
    people, today = config["people"], config["today"]
    for name in people:
        due, deputy = due_permissions(config, name, ""), covers(config, name, "")
        if any(due.intersection(config["permissions"][each]["conflicts_with"]) for each in due):
            return False
        if deputy is not None:
            away_until = people[deputy]["away_until"]
            if has_left(people[deputy], today) or (away_until is not None and away_until >= today):
                return False
    return True


def generate(random, difficulty: int) -> Config:
    while True:
        config = draw_config(random, difficulty)
        if not is_sound(config):
            continue
        wrong = [not accepts(each["state"], config) for each in mistakes(config).values()]
        if sum(wrong) >= (6, 7, 9, 11, 12)[difficulty - 1]:
            return config
