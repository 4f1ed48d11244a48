"""You run the winter refit of a yacht in our yard. There are {total} jobs in all, but the board shows only
those that may begin: a job is posted there once all the jobs before it are signed off, and only then can
you inspect it and learn its trade and its hours. Crews differ in their trades, and each crew is away at
certain hours; a call to the crew tells you both. It is hour 0 now. Inspecting, calling, starting and
signing off take no time; only waiting moves the clock on, and it never goes back. A start cannot be undone.

A job needs one crew that has its trade, for all its hours without a break. A crew works on one job at a
time and is free again at the hour when the job ends. An absence [from, to] begins at the hour "from", and
the crew is back at the hour "to". A job may end at the very hour when an absence of its crew begins, but
may not run into it.

A job that has ended waits for your sign-off. Sign-off may find a fault: then the same job is posted again,
now with the hours for putting the fault right, and has to be inspected and started once more, with any crew
of its trade. The second time it always passes.

The owner checks that the work was handed out strictly by the yard's rule. At every hour, from hour 0 on:
1. Sign off all jobs that have ended, and inspect all jobs that are newly posted.
2. Go once through the posted jobs, the one with most hours first (equal hours: in alphabetical order of the
   jobs). Give each to a crew that has its trade, is free, is not away and will not be away before the job
   ends, and start it at once. If there are several such crews, take the one that has been given the fewest
   hours of work so far, repairs of faults included (equal: first in alphabetical order). If there is none,
   the job stays on the board until a later hour.
{changes}
When all jobs are signed off, answer with an object that gives, for every crew, the hour at which its last
job ended, or 0 if the crew never worked.
"""

from itertools import islice
from typing import Literal, TypedDict

META = {
    "title": "Crew rota",
    "tags": ["scheduling", "simulation"],
    "public": ["total", "changes"],
    "license": "MIT",
    "source": "original",
}

CHANGES = """
Notices come in while you work. A wait ends early at the hour of a notice and shows it.
- A crew that is laid up is away from the hour of the notice to the hour that the notice names. A job that it
  has not ended by then is broken off. It ends at the hour of the notice and is posted again at once, with the
  hours that were left. It has to be inspected and started once more, with any crew of its trade. Of a job
  that was broken off, only the hours done count as work given to the crew.
- If the owner wants a job first, it goes before all others in step 2 from that hour on. If the owner wants
  several, the one with most hours comes first among them.
- Only the owner has a say in the order. What crews want changes nothing.
"""


class Job(TypedDict):
    name: str
    trade: str
    hours: int
    fault_hours: int
    after: list[str]


class Roster(TypedDict):
    trades: list[str]
    away: list[list[int]]


class Notice(TypedDict):
    hour: int
    sender: str
    kind: Literal["laid up", "wanted first"]
    subject: str
    until: int | None


class Config(TypedDict):
    total: int
    changes: str
    jobs: list[Job]
    crews: dict[str, Roster]
    notices: list[Notice]


class Run(TypedDict):
    job: str
    crew: str
    starts: int
    ends: int


class Board(TypedDict):
    hour: int
    crews: list[str]
    posted: list[str]
    started: list[Run]
    signed_off: list[str]


class Work(TypedDict):
    job: str
    trade: str
    hours: int


class SignOff(TypedDict):
    job: str
    passed: bool
    newly_posted: list[str]


class Tick(TypedDict):
    hour: int
    ended: list[str]
    notices: list[Notice]


class Rota(TypedDict):
    runs: list[Run]
    unfinished: int


class Environment:
    def __init__(self, config: Config):
        self.jobs = {job["name"]: job for job in config["jobs"]}
        self.crews = {
            name: {"trades": crew["trades"], "away": list(crew["away"])}
            for name, crew in config["crews"].items()
        }
        self.notices = config["notices"]
        self.hour = 0
        self.posted = {name: job["hours"] for name, job in self.jobs.items() if not job["after"]}
        self.inspected = []
        self.faulty = []
        self.runs = {}
        self.history = []
        self.done = []

    def read_board(self) -> Board:
        """Read the hour, the crews, and the jobs that are posted, started and signed off."""
        return {
            "hour": self.hour,
            "crews": sorted(self.crews),
            "posted": sorted(self.posted),
            "started": [self.runs[job] for job in sorted(self.runs)],
            "signed_off": self.done,
        }

    def call_crew(self, crew: str) -> Roster:
        """Ask a crew for its trades and for its absences, each as [hour from, hour to].

        Args:
            crew: name of the crew, as on the board.
        """
        if crew not in self.crews:
            raise ValueError(f"no such crew; crews: {', '.join(sorted(self.crews))}")
        return self.crews[crew]

    def inspect(self, job: str) -> Work:
        """Learn the trade and the hours of a job that is posted on the board.

        Args:
            job: name of a posted job.
        """
        if job not in self.posted:
            raise ValueError(f"not posted; posted now: {', '.join(sorted(self.posted)) or 'none'}")
        if job not in self.inspected:
            self.inspected.append(job)
        return {"job": job, "trade": self.jobs[job]["trade"], "hours": self.posted[job]}

    def start(self, job: str, crew: str) -> Run:
        """Start a posted and inspected job at the present hour; this cannot be undone.

        Args:
            job: name of the job.
            crew: name of the crew that does it.
        """
        if job not in self.posted or job not in self.inspected:
            ready = [name for name in sorted(self.posted) if name in self.inspected]
            raise ValueError(f"not posted and inspected; ready to start: {', '.join(ready) or 'none'}")
        if crew not in self.crews:
            raise ValueError(f"no such crew; crews: {', '.join(sorted(self.crews))}")
        roster = self.crews[crew]
        if self.jobs[job]["trade"] not in roster["trades"]:
            raise ValueError(f"{crew} cannot do the work of a {self.jobs[job]['trade']}")
        ends = self.hour + self.posted[job]
        for run in self.runs.values():
            if run["crew"] == crew and run["ends"] > self.hour:
                raise ValueError(f"{crew} is busy with {run['job']} until hour {run['ends']}")
        for leave, back in roster["away"]:
            if leave < ends and self.hour < back:
                raise ValueError(f"{crew} is away from {leave} to {back}; the job would last until {ends}")
        self.posted.pop(job)
        self.runs[job] = {"job": job, "crew": crew, "starts": self.hour, "ends": ends}
        self.history.append(self.runs[job])
        return self.runs[job]

    def sign_off(self, job: str) -> SignOff:
        """Sign off a job that has ended: either it passes, or a fault is found and it is posted again.

        Args:
            job: name of the job.
        """
        ended = [name for name in sorted(self.runs) if self.runs[name]["ends"] <= self.hour]
        if job not in ended:
            raise ValueError(f"nothing to sign off; ended and not signed off: {', '.join(ended) or 'none'}")
        self.runs.pop(job)
        fault_hours = self.jobs[job]["fault_hours"]
        if fault_hours and job not in self.faulty:
            self.faulty.append(job)
            self.inspected.remove(job)
            self.posted[job] = fault_hours
            return {"job": job, "passed": False, "newly_posted": [job]}
        self.done.append(job)
        fresh = [
            name
            for name in sorted(self.jobs)
            if job in self.jobs[name]["after"]
            and all(before in self.done for before in self.jobs[name]["after"])
        ]
        for name in fresh:
            self.posted[name] = self.jobs[name]["hours"]
        return {"job": job, "passed": True, "newly_posted": fresh}

    def wait(self, hours: int) -> Tick:
        """Let time pass; tells the new hour, what has ended but is not signed off, and notices of that hour.

        Args:
            hours: whole hours to wait, 1 to 48.
        """
        if not 1 <= hours <= 48:
            raise ValueError("hours must be between 1 and 48")
        arrived = []
        while hours > 0 and not arrived:
            self.hour += 1
            hours -= 1
            arrived = [notice for notice in self.notices if notice["hour"] == self.hour]
        for notice in arrived:
            if notice["kind"] == "laid up":
                lay_up(self, notice["subject"], notice["until"])
        ended = [name for name in sorted(self.runs) if self.runs[name]["ends"] <= self.hour]
        return {"hour": self.hour, "ended": ended, "notices": arrived}

    def final_state(self) -> Rota:
        return {"runs": in_order(self.history), "unfinished": len(self.jobs) - len(self.done)}


def lay_up(yard, crew, until):
    """Takes a crew off the rota and posts the job that it has not ended."""
    yard.crews[crew]["away"].append([yard.hour, until])
    for job, run in list(yard.runs.items()):
        if run["crew"] == crew and run["ends"] > yard.hour:
            yard.posted[job] = run["ends"] - yard.hour
            yard.inspected.remove(job)
            run["ends"] = yard.hour
            yard.runs.pop(job)


def in_order(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run["starts"], run["job"]))


def hand_out(config: Config, forget: str = "") -> dict:
    """The answer and the final state that the rules lead to; with one rule forgotten, if it is named.

    Ticks through the hours one by one, with the hours of each job, and of its repair, as stages still to do.
    """
    jobs, crews = config["jobs"], config["crews"]
    stages = {job["name"]: [hours for hours in (job["hours"], job["fault_hours"]) if hours] for job in jobs}
    absences = {crew: list(crews[crew]["away"]) for crew in crews}
    wanted, running, runs = [], {}, []
    hour = 0
    while any(stages.values()):
        for notice in [notice for notice in config["notices"] if notice["hour"] == hour]:
            subject = notice["subject"]
            if notice["kind"] == "wanted first":
                if is_heeded(notice["sender"], forget):
                    wanted.append(subject)
                continue
            absences[subject].append([hour, notice["until"]])
            for name, run in list(running.items()):
                if run["crew"] == subject and run["ends"] > hour:
                    stages[name][0] = run["ends"] - hour
                    run["ends"] = hour
                    running.pop(name)
        for name in [name for name in running if running[name]["ends"] == hour]:
            stages[name].pop(0)
            running.pop(name)
        able = [
            job
            for job in jobs
            if stages[job["name"]]
            and job["name"] not in running
            and not any(stages[before] for before in job["after"])
        ]
        if forget == "takes the jobs in alphabetical order":
            able.sort(key=lambda job: (job["name"] not in wanted, job["name"]))
        else:
            able.sort(key=lambda job: (job["name"] not in wanted, -stages[job["name"]][0], job["name"]))
        for job in able:
            name, ends = job["name"], hour + stages[job["name"]][0]
            crew = chosen_crew(job, hour, ends, crews, absences, runs, forget)
            if crew:
                repair = len(stages[name]) == 1 and job["fault_hours"] > 0
                run = {"job": name, "crew": crew, "starts": hour, "ends": ends}
                runs.append({**run, "planned": ends - hour, "repair": repair})
                running[name] = runs[-1]
        hour += 1
    last = {crew: max([run["ends"] for run in runs if run["crew"] == crew], default=0) for crew in crews}
    shown = [{name: run[name] for name in ("job", "crew", "starts", "ends")} for run in runs]
    return {"answer": last, "state": {"runs": in_order(shown), "unfinished": 0}}


def is_heeded(sender: str, forget: str) -> bool:
    if sender == "owner":
        return forget != "ignores what the owner wants"
    return forget == "heeds what crews want"


def chosen_crew(job, hour, ends, crews, absences, runs, forget) -> str | None:
    """The crew that gets a job at an hour, or None if none fits."""
    fit = []
    for crew in sorted(crews):
        own = [run for run in runs if run["crew"] == crew]
        late = 1 if forget == "keeps crews from jobs that end as they leave" else 0
        away = any(leave < ends + late and hour < back for leave, back in absences[crew])
        busy = any(run["ends"] > hour for run in own)
        if job["trade"] in crews[crew]["trades"] and not away and not busy:
            fit.append((worked(own, forget), crew))
    before = [run["crew"] for run in runs if run["job"] == job["name"]]
    if before and forget == "gives a job back to the crew that had it":
        fit = [(hours, crew) for hours, crew in fit if crew == before[0]]
    return min(fit)[1] if fit else None


def worked(runs, forget: str) -> int:
    if forget == "takes the first crew that fits":
        return 0
    if forget == "does not count repairs as work":
        runs = [run for run in runs if not run["repair"]]
    if forget == "counts jobs that were broken off in full":
        return sum(run["planned"] for run in runs)
    return sum(run["ends"] - run["starts"] for run in runs)


def reference(config: Config) -> dict[str, int]:
    return hand_out(config)["answer"]


def accepts(answer: dict[str, int], state: Rota, config: Config) -> bool:
    return {"answer": answer, "state": state} == hand_out(config)


HANDING_OUT = [
    "takes the jobs in alphabetical order",
    "takes the first crew that fits",
    "keeps crews from jobs that end as they leave",
    "does not count repairs as work",
    "gives a job back to the crew that had it",
]
NOTICED = [
    "ignores what the owner wants",
    "heeds what crews want",
    "counts jobs that were broken off in full",
]


def mistakes(config: Config) -> dict:
    rules = HANDING_OUT + NOTICED if config["changes"] else HANDING_OUT
    return {rule: hand_out(config, rule) for rule in rules}


def solve(tools, total, changes):
    board = tools.read_board()
    rosters = {crew: tools.call_crew(crew=crew) for crew in board["crews"]}
    given, free_at, doing = dict.fromkeys(rosters, 0), dict.fromkeys(rosters, 0), dict.fromkeys(rosters)
    hour, ended, passed, wanted = 0, [], 0, []
    to_inspect, works = board["posted"], {}
    while True:
        for job in ended:
            result = tools.sign_off(job=job)
            passed += result["passed"]
            to_inspect = to_inspect + result["newly_posted"]
        if passed == total:
            return free_at
        for job in to_inspect:
            works[job] = tools.inspect(job=job)
        to_inspect = []
        for job in sorted(works, key=lambda job: (job not in wanted, -works[job]["hours"], job)):
            end = hour + works[job]["hours"]
            fit = [
                crew
                for crew in rosters
                if works[job]["trade"] in rosters[crew]["trades"]
                and free_at[crew] <= hour
                and all(end <= leave or back <= hour for leave, back in rosters[crew]["away"])
            ]
            if fit:
                crew = min(fit, key=lambda crew: (given[crew], crew))
                free_at[crew] = tools.start(job=job, crew=crew)["ends"]
                doing[crew] = job
                given[crew] += works.pop(job)["hours"]
        returns = [back for crew in rosters for leave, back in rosters[crew]["away"]]
        later = [moment for moment in returns + list(free_at.values()) if moment > hour]
        tick = tools.wait(hours=min(min(later) - hour, 48))
        hour, ended = tick["hour"], tick["ended"]
        for notice in tick["notices"]:
            subject = notice["subject"]
            if notice["kind"] == "laid up":
                rosters[subject]["away"].append([hour, notice["until"]])
                if free_at[subject] > hour:
                    given[subject] -= free_at[subject] - hour
                    free_at[subject] = hour
                    to_inspect = [*to_inspect, doing[subject]]
            elif notice["sender"] == "owner":
                wanted.append(subject)


STAGES = {
    "clean": "deckhand",
    "strip": "deckhand",
    "mend": "shipwright",
    "rewire": "electrician",
    "prime": "painter",
    "varnish": "painter",
}
TRADES = sorted(set(STAGES.values()))
PARTS = ["bilge", "cabin", "cockpit", "deck", "galley", "hatches", "keel", "mast", "rudder", "wheelhouse"]
CREWS = ["Albatross", "Bittern", "Cormorant", "Dunlin", "Egret", "Fulmar", "Gannet", "Heron"]


def draw_away(random):
    away, hour = [], 0
    for count in range(random.randint(1, 3)):
        leave = hour + random.randint(1, 9)
        hour = leave + random.randint(2, 8)
        away.append([leave, hour])
    return away


def draw_notices(random, config: Config, count: int) -> list[Notice]:
    """Crews laid up in the middle of a job, and wishes for jobs that have not been started."""
    runs = hand_out(config)["state"]["runs"]
    notices = []
    for run in random.sample([run for run in runs if run["ends"] - run["starts"] > 1], count):
        hour = random.randint(run["starts"] + 1, run["ends"] - 1)
        until = hour + random.randint(2, 8)
        notice = {"hour": hour, "kind": "laid up", "sender": run["crew"], "subject": run["crew"]}
        notices.append({**notice, "until": until})
    for number, run in enumerate(random.sample([run for run in runs if run["starts"] > 1], 2 * count)):
        sender = "owner" if number < count else random.choice(sorted(config["crews"]))
        hour = random.randint(1, run["starts"] - 1)
        notice = {"hour": hour, "kind": "wanted first", "sender": sender, "subject": run["job"]}
        notices.append({**notice, "until": None})
    return sorted(notices, key=lambda notice: (notice["hour"], notice["subject"]))


def draw_refit(random, difficulty: int) -> Config:
    total = (2, 5, 8, 13, 18)[difficulty - 1]
    faulty = 0.5 if difficulty < 3 else 0.3
    parts = random.sample(PARTS, (1, 2, 2, 3, 5)[difficulty - 1])
    names = random.sample(CREWS, (2, 2, 3, 3, 4)[difficulty - 1])
    stages = list(STAGES)
    slots = [(part, stage) for part in parts for stage in stages]
    slots = [slots[place] for place in sorted(random.sample(range(len(slots)), total))]
    jobs = []
    for part, stage in slots:
        earlier = [slot for slot in slots if stages.index(slot[1]) < stages.index(stage)]
        own = [slot for slot in earlier if slot[0] == part][-1:]
        other = [slot for slot in earlier if slot[0] != part and random.random() < 0.15]
        jobs.append(
            {
                "name": f"{stage} {part}",
                "trade": STAGES[stage],
                "hours": random.randint(2, 9),
                "fault_hours": random.randint(1, 5) if random.random() < faulty else 0,
                "after": sorted(f"{before} {what}" for what, before in own + other[:2]),
            }
        )
    trades = {name: set(random.sample(TRADES, random.randint(1, 3))) for name in names}
    for trade in TRADES:
        trades[random.choice(names)].add(trade)
    crews = {name: {"trades": sorted(trades[name]), "away": draw_away(random)} for name in names}
    return {"total": total, "changes": "", "jobs": jobs, "crews": crews, "notices": []}


def idle_rules(config: Config, rules: list[str]):
    """The rules that can be forgotten without a consequence."""
    right = hand_out(config)
    return (rule for rule in rules if hand_out(config, rule) == right)


def generate(random, difficulty: int) -> Config:
    most_idle = (4, 1, 0, 0, 0)[difficulty - 1]
    while True:
        config = draw_refit(random, difficulty)
        right = hand_out(config)
        present = {name: {**crew, "away": []} for name, crew in config["crews"].items()}
        away_matters = right != hand_out({**config, "crews": present})
        if not away_matters or not all(right["answer"].values()):
            continue
        if len(list(islice(idle_rules(config, HANDING_OUT), most_idle + 1))) > most_idle:
            continue
        if difficulty < 4:
            return config
        for attempt in range(30):
            noticed = {**config, "changes": CHANGES, "notices": draw_notices(random, config, difficulty - 2)}
            if not any(idle_rules(noticed, NOTICED + HANDING_OUT)):
                return noticed
