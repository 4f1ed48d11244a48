"""Customers on our stable release ask for fixes that exist only on the main branch. Bring those fixes to the
stable branch, or decline the requests that cannot be met.

The stable branch was cut from main some time ago. All that was on main before is on stable too; the commits
made on main since then are not, except for those that the stable log shows as picked. Each commit changes
some functions.

- A commit that was reverted by a later one counts as if it had never been made, unless the revert was itself
  reverted. Reverts are never picked.
- The fix of a request consists of all commits that close its issue ("Closes #7" in the message; any other
  mention of an issue closes nothing) and have not been reverted.
- A commit may correct an earlier one ("Corrects a1b2c3" in the message). If a commit is picked, the commits
  that correct it and have not been reverted must be picked too, and those that correct these, and so on. If a
  commit that closes the issue is on stable already, the commits that correct it are still needed; for other
  commits that are on stable already they are not.
- A commit can be picked only if stable has the commit that changed the same function on main just before it,
  for each of its functions; otherwise it conflicts, and that commit has to be picked first. Reverts, and
  commits that have been reverted, are not counted here; a commit whose revert was reverted keeps its place.
- Stable takes no features, and no commit that changes a function of a frozen file. The frozen file is
  {frozen}. If a fix, with all that has to be picked along with it, would bring one of those, the request is
  declined, and nothing is picked for it. Only what would be newly picked counts.

Pick what the requests need and nothing else. Stable is public, so a picked commit stays there for good.
Decline each request that cannot be met, with the first of these reasons that applies:
- "not fixed": no commit closes the issue;
- "reverted": all commits that close it have been reverted;
- "feature": its fix would bring a feature;
- "frozen": its fix would change the frozen file.

There is nothing to answer. Submit when stable has what it needs and the other requests are declined.
"""

from typing import Literal, TypedDict

META = {
    "title": "Stable backports",
    "tags": ["software", "version control"],
    "public": ["frozen"],
    "license": "MIT",
    "source": "original",
}


class Commit(TypedDict):
    id: str
    kind: Literal["feature", "fix", "cleanup", "revert"]
    title: str
    message: list[str]
    functions: list[str]


class Request(TypedDict):
    customer: str
    issue: int
    title: str


class Config(TypedDict):
    frozen: str
    commits: list[Commit]
    picked: list[str]
    requests: dict[str, Request]


class State(TypedDict):
    picked: list[str]
    declined: dict[str, str]


class Environment:
    def __init__(self, config: Config):
        self.config = config
        self.commits = {commit["id"]: commit for commit in config["commits"]}
        self.picked = list(config["picked"])
        self.declined = {}

    def requests(self) -> list[str]:
        """List the names of all requests."""
        return sorted(self.config["requests"])

    def read_request(self, name: str) -> Request:
        """Read a request: who asks for the fix of which issue.

        Args:
            name: name of the request.
        """
        if name not in self.config["requests"]:
            raise ValueError(f"there is no request {name}")
        return self.config["requests"][name]

    def find(self, text: str) -> list[str]:
        """List the commits on main, the oldest first, in whose message a number or an id occurs.

        Args:
            text: an issue such as "#7", or the id of a commit.
        """
        if not (text[:1] == "#" and text[1:].isdigit()) and text not in self.commits:
            raise ValueError('text must be an issue such as "#7", or the id of a commit on main')
        return [
            commit["id"]
            for commit in self.config["commits"]
            if any(text in line.replace(",", "").replace(".", "").split() for line in commit["message"])
        ]

    def show(self, commit: str) -> Commit:
        """Show a commit on main: its kind, title and message, and the functions that it changes.

        Args:
            commit: id of the commit.
        """
        if commit not in self.commits:
            raise ValueError(f"main has no commit {commit} since stable was cut")
        return self.commits[commit]

    def history(self, function: str) -> list[str]:
        """List the commits on main that change a function, the oldest first.

        Args:
            function: file and name of the function, as a commit shows it.
        """
        found = [commit["id"] for commit in self.config["commits"] if function in commit["functions"]]
        if not found:
            raise ValueError(f"no commit on main changes a function {function}")
        return found

    def stable_log(self) -> list[str]:
        """List the ids of the commits that have been picked to stable, in order."""
        return self.picked

    def pick(self, commit: str) -> str:
        """Pick a commit of main to stable; if it conflicts, nothing happens.

        Args:
            commit: id of the commit.
        """
        shown = self.show(commit)
        if commit in self.picked:
            raise ValueError(f"stable has {commit} already")
        if shown["kind"] == "revert":
            raise ValueError("reverts are never picked")
        for function in shown["functions"]:
            before = previous(self.config["commits"], commit, function, standing(self.config["commits"], ""))
            if before is not None and before not in self.picked:
                raise ValueError(f"{commit} conflicts in {function}")
        self.picked.append(commit)
        return f"picked {commit}"

    def decline(self, request: str, reason: Literal["not fixed", "reverted", "feature", "frozen"]) -> str:
        """Decline a request; a request that has been declined stays so.

        Args:
            request: name of the request.
            reason: why it cannot be met.
        """
        self.read_request(request)
        if request in self.declined:
            raise ValueError(f"{request} has been declined already")
        self.declined[request] = reason
        return f"declined {request}"

    def final_state(self) -> State:
        return {"picked": self.picked, "declined": self.declined}


def named(commit: Commit, verb: str) -> list[str]:
    """What the lines of a message name that begin with a verb."""
    return [line.split()[1] for line in commit["message"] if line.split()[0] == verb]


def standing(commits: list[Commit], forgotten: str) -> list[str]:
    """The ids of the commits that are no reverts and have not been reverted for good."""
    gone = []
    for commit in reversed(commits):
        if commit["id"] not in gone or forgotten == "reverts of reverts are overlooked":
            gone += named(commit, "Reverts")
    return [each["id"] for each in commits if each["id"] not in gone and each["kind"] != "revert"]


def previous(commits: list[Commit], commit: str, function: str, stand: list[str]) -> str | None:
    found = None
    for each in commits:
        if each["id"] == commit:
            return found
        if function in each["functions"] and each["id"] in stand:
            found = each["id"]
    return None


def plan(config: Config, forgotten: str) -> State:
    """What must be picked and declined, by all rules but the forgotten one."""
    commits = config["commits"]
    table = {commit["id"]: commit for commit in commits}
    stand = standing(commits, forgotten)
    if forgotten == "reverted commits count":
        stand = [each["id"] for each in commits if each["kind"] != "revert"]
    wanted, declined = [], {}
    for name, request in config["requests"].items():
        issue = f"#{request['issue']}"
        closing = [each["id"] for each in commits if issue in named(each, "Closes")]
        if forgotten == "every mention closes":
            closing = [
                each["id"] for each in commits if any(issue in line.split() for line in each["message"])
            ]
        fix = [each for each in closing if each in stand]
        if forgotten == "only the first commit that closes an issue is picked":
            fix = fix[:1]
        for commit in fix:
            found = []
            if commit not in config["picked"] and forgotten != "what was changed before is not needed":
                found = [previous(commits, commit, each, stand) for each in table[commit]["functions"]]
            if forgotten != "corrections are overlooked":
                correcting = [each["id"] for each in commits if commit in named(each, "Corrects")]
                kept = forgotten == "corrections are picked although they were reverted"
                found += [each for each in correcting if kept or each in stand]
            if forgotten == "corrections of what is picked along are overlooked" and commit not in closing:
                found = [each for each in found if each and commit not in named(table[each], "Corrects")]
            fix += [each for each in dict.fromkeys(found) if each and each not in fix + config["picked"]]
        new = [table[each] for each in fix if each not in config["picked"]]
        features = [commit["id"] for commit in new if commit["kind"] == "feature"]
        if forgotten == "commits that close or correct are never features":
            features = [each for each in features if not table[each]["message"]]
        files = {function.split(":")[0] for commit in new for function in commit["functions"]}
        if not closing:
            declined[name] = "not fixed"
        elif not fix:
            declined[name] = "reverted"
        elif features and forgotten != "features are picked":
            declined[name] = "feature"
        elif config["frozen"] in files and forgotten != "the frozen file is changed":
            declined[name] = "frozen"
        else:
            wanted += [commit["id"] for commit in new]
    order = [each["id"] for each in commits if each["id"] in wanted]
    return {"picked": config["picked"] + order, "declined": declined}


def accepts(state: State, config: Config) -> bool:
    due = plan(config, "")
    return sorted(state["picked"]) == sorted(due["picked"]) and state["declined"] == due["declined"]


MISTAKES = [
    "reverted commits count",
    "reverts of reverts are overlooked",
    "every mention closes",
    "corrections are overlooked",
    "corrections of what is picked along are overlooked",
    "corrections are picked although they were reverted",
    "only the first commit that closes an issue is picked",
    "what was changed before is not needed",
    "commits that close or correct are never features",
    "features are picked",
    "the frozen file is changed",
]


def mistakes(config: Config) -> dict[str, dict[str, State]]:
    return {name: {"state": plan(config, name)} for name in MISTAKES}


def solve(tools, frozen):
    shown, picked = {}, tools.stable_log()

    def show(commit):
        if commit not in shown:
            shown[commit] = tools.show(commit=commit)
            shown[commit]["named_by"] = [each for each in tools.find(text=commit) if each != commit]
        return shown[commit]

    def stands(commit):
        return not any(
            commit in named(show(each), "Reverts") and stands(each) for each in show(commit)["named_by"]
        )

    histories = {}

    def before(commit, function):
        if function not in histories:
            histories[function] = tools.history(function=function)
        earlier = histories[function][: histories[function].index(commit)]
        for each in reversed(earlier):
            if show(each)["kind"] != "revert" and stands(each):
                return each
        return None

    wanted = []
    for name in tools.requests():
        issue = f"#{tools.read_request(name=name)['issue']}"
        closing = [each for each in tools.find(text=issue) if issue in named(show(each), "Closes")]
        fix = [each for each in closing if stands(each)]
        reason = "not fixed" if not closing else None if fix else "reverted"
        for commit in fix:
            found = (
                [before(commit, each) for each in show(commit)["functions"]] if commit not in picked else []
            )
            found += [each for each in show(commit)["named_by"] if commit in named(show(each), "Corrects")]
            fix += [
                each for each in dict.fromkeys(found) if each and each not in fix + picked and stands(each)
            ]
        new = [each for each in fix if each not in picked]
        if any(show(each)["kind"] == "feature" for each in new):
            reason = "feature"
        elif any(function.split(":")[0] == frozen for each in new for function in show(each)["functions"]):
            reason = "frozen"
        if reason is not None:
            tools.decline(request=name, reason=reason)
        else:
            wanted += [each for each in new if each not in wanted]
    while wanted:
        for commit in list(wanted):
            try:
                tools.pick(commit=commit)
                wanted.remove(commit)
            except ValueError:
                # It needs another one of them first.
                continue


FILES = "cache.py parser.py retry.py session.py upload.py schema.py quota.py report.py".split()
NAMES = "open close read write merge split check".split()
TITLES = [
    "Handle empty input",
    "Avoid a deadlock",
    "Keep the order",
    "Count bytes once",
    "Round up",
    "Wait longer",
    "Close the file",
    "Reject negative sizes",
    "Retry after a timeout",
    "Free the buffer",
    "Escape quotes",
    "Accept long names",
    "Skip blank lines",
    "Compare in lower case",
    "Drop stale entries",
    "Check the length first",
]
CUSTOMERS = (
    "Almond Bramble Clover Dahlia Elder Fennel Ginger Hyssop Iris Juniper Kale Laurel Mallow Nettle Oleander"
).split()


def draw_story(
    random, sort: str, issue: str, title: str, own: list[str], shared: list[str], frozen: str, rich: bool
) -> list[dict]:
    """The commits about one issue; a commit refers to an earlier one by its place in the story.

    A rich story may have two commits that close, a correction that was reverted, or a feature that closes
    or corrects.
    """

    def commit(kind, functions, verb, target):
        more = [random.choice(shared)] if random.random() < 0.35 else []
        named = title if verb == "Closes" else random.choice(TITLES)
        return {
            "kind": kind,
            "title": named,
            "functions": sorted({*functions, *more}),
            "verb": verb,
            "target": target,
        }

    rich = rich and random.random() < 0.8
    closing = commit("fix", own[:1], "Closes", issue)
    mention = commit(random.choice(["feature", "cleanup"]), own[1:2], "See also", issue)
    if sort == "built on others":
        story = [commit("cleanup", own[:1], "", ""), closing]
        story += [commit("fix", own[1:2], "Corrects", 0), commit("fix", own[:1], "Corrects", 1)]
        if rich:
            return [*story, commit("fix", own[:1], "Closes", issue)]
        return story if random.random() < 0.5 else [*story, commit("fix", own[1:], "Corrects", 3)]
    if sort == "reinstated":
        story = [
            closing,
            commit("revert", own[:1], "Reverts", 0),
            commit("revert", own[:1], "Reverts", 1),
            commit("fix", own[1:2], "Corrects", 0),
        ]
        if rich:
            story += [commit("fix", own[:1], "Corrects", 0), commit("revert", own[:1], "Reverts", 4)]
        return story
    if sort == "reverted":
        story = [closing, commit("revert", own[:1], "Reverts", 0), mention]
        return story if random.random() < 0.5 else [*story, commit("fix", own, "Closes", issue)]
    if sort == "needs a feature":
        if rich and random.random() < 0.5:
            return [commit("cleanup", own[:1], "", ""), commit("feature", own[:1], "Closes", issue)]
        if rich:
            return [closing, commit("feature", own[:1], "Corrects", 0)]
        return [commit("feature", own[:1], "", ""), closing]
    if sort == "frozen":
        first = random.random() < 0.5
        return [
            commit("cleanup" if first else "fix", [frozen], "", ""),
            closing,
            commit("fix", [frozen], "Corrects", 1),
        ]
    if sort == "not fixed":
        return [mention]
    return [mention, closing]


STORIES = ["built on others", "reinstated", "reverted", "needs a feature", "frozen"]
MORE_STORIES = ["mentioned", "not fixed", "built on others", "reinstated", "reverted"]


def draw_commits(random, stories: list[list[dict]]) -> list[dict]:
    """Mixes the stories and gives every commit its id and message."""
    turns = [place for place, story in enumerate(stories) for _ in story]
    random.shuffle(turns)
    ids = [[f"{random.randint(0x100000, 0xFFFFFF):06x}" for _ in story] for story in stories]
    done = [0] * len(stories)
    commits = []
    for turn in turns:
        place = done[turn]
        done[turn] += 1
        drawn, verb, target = (
            stories[turn][place],
            stories[turn][place]["verb"],
            stories[turn][place]["target"],
        )
        name = ids[turn][target] if verb in ("Corrects", "Reverts") else target
        reverted = [each for each in commits if verb == "Reverts" and each["id"] == name]
        commits.append(
            {
                "id": ids[turn][place],
                "kind": drawn["kind"],
                "title": f"Revert {name}" if reverted else drawn["title"],
                "message": [f"{verb} {name}"] if verb else [],
                "functions": reverted[0]["functions"] if reverted else drawn["functions"],
            }
        )
    return commits


def generate(random, difficulty: int) -> Config:
    asked = (2, 6, 8, 10, 13)[difficulty - 1]
    while True:
        sorts = random.sample(STORIES, len(STORIES))
        sorts += [random.choice(MORE_STORIES[:2]), *random.choices(STORIES + MORE_STORIES, k=asked)]
        files = random.sample(FILES, (3, 4, 5, 6, 8)[difficulty - 1])
        frozen = files.pop()
        functions = [f"{file}:{name}" for file in files for name in NAMES]
        random.shuffle(functions)
        own = [functions[2 * place : 2 * place + 2] for place in range(asked)]
        shared = [function for pair in own for function in pair]
        first = random.randint(100, 900)
        titles = random.sample(TITLES, asked)
        rich = difficulty > 1
        stories = []
        for place, sort in enumerate(sorts[:asked]):
            issue, file = f"#{first + place}", f"{frozen}:{random.choice(NAMES)}"
            stories.append(draw_story(random, sort, issue, titles[place], own[place], shared, file, rich))
        customers = random.sample(CUSTOMERS, asked)
        order = random.sample(range(asked), asked)
        requests = {
            f"R{place + 1}": {
                "customer": customers[place],
                "issue": first + order[place],
                "title": titles[order[place]],
            }
            for place in range(asked)
        }
        config = {
            "frozen": frozen,
            "commits": draw_commits(random, stories),
            "picked": [],
            "requests": requests,
        }
        if difficulty > 3:
            # Some fixes were picked before, without what has corrected them since.
            earlier = {name: requests[name] for name in sorted(requests)[:3]}
            config["picked"] = plan({**config, "requests": earlier}, "corrections are overlooked")["picked"]
        due = plan(config, "")
        wrong = [not accepts(each["state"], config) for each in mistakes(config).values()]
        new = len(due["picked"]) - len(config["picked"])
        enough = (2, 10, 11, 11, 11)[difficulty - 1]
        if sum(wrong) >= enough and new >= asked // 2 and len(due["declined"]) * 3 <= asked * 2:
            return config
