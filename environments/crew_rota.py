"""You run the winter refit of a yacht in our yard. There are {total} jobs in all, but the board shows only
those that may begin: a job is posted there once all the jobs before it are signed off, and only then can
you inspect it and learn its trade and its hours. Crews differ in their trades, and each crew is away at
certain hours; a call to the crew tells you both. It is hour 0 now. Inspecting, calling, starting and
signing off take no time; only waiting moves the clock on, and it never goes back. A job that has been
started runs to its end.

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

When all jobs are signed off, answer with an object that gives, for every crew, the hour at which its last
job ended, or 0 if the crew never worked.
"""

from typing import TypedDict

META = {
    "title": "Crew rota",
    "tags": ["scheduling", "simulation"],
    "public": ["total"],
    "license": "MIT",
    "source": "original",
}


class Job(TypedDict):
    name: str
    trade: str
    hours: int
    fault_hours: int
    after: list[str]


class Roster(TypedDict):
    trades: list[str]
    away: list[list[int]]


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


class Rota(TypedDict):
    runs: list[Run]
    unfinished: int


class Environment:
    def __init__(self, total: int, jobs: list[Job], crews: dict[str, Roster]):
        self.total = total
        self.jobs = {job["name"]: job for job in jobs}
        self.crews = crews
        self.hour = 0
        self.posted = {job["name"]: job["hours"] for job in jobs if not job["after"]}
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
        """Let time pass; tells the new hour and the jobs that have ended but are not signed off.

        Args:
            hours: whole hours to wait, 1 to 48.
        """
        if not 1 <= hours <= 48:
            raise ValueError("hours must be between 1 and 48")
        self.hour += hours
        ended = [name for name in sorted(self.runs) if self.runs[name]["ends"] <= self.hour]
        return {"hour": self.hour, "ended": ended}

    def final_state(self) -> Rota:
        return {"runs": in_order(self.history), "unfinished": self.total - len(self.done)}


def in_order(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run["starts"], run["job"]))


def hand_out(
    total: int,
    jobs: list[Job],
    crews: dict[str, Roster],
    longest_first: bool = True,
    least_worked: bool = True,
    counts_repairs: bool = True,
) -> dict:
    """The hour at which each crew has ended, and the runs: the answer and the final state.

    Ticks through the hours one by one, with the remaining work of each job as stages still to do. Each flag
    stands for a part of the yard's rule that is followed.
    """
    stages = {job["name"]: [hours for hours in (job["hours"], job["fault_hours"]) if hours] for job in jobs}
    running, given, last = {}, dict.fromkeys(crews, 0), dict.fromkeys(crews, 0)
    runs = []
    hour = 0
    while any(stages.values()):
        for name in [name for name in running if running[name] == hour]:
            stages[name].pop(0)
            running.pop(name)
        able = [
            job
            for job in jobs
            if stages[job["name"]]
            and job["name"] not in running
            and not any(stages[before] for before in job["after"])
        ]
        rank = {job["name"]: -stages[job["name"]][0] if longest_first else 0 for job in able}
        for job in sorted(able, key=lambda job: (rank[job["name"]], job["name"])):
            need = range(hour, hour + stages[job["name"]][0])
            fit = [
                (given[crew] if least_worked else 0, crew)
                for crew, roster in crews.items()
                if job["trade"] in roster["trades"]
                and last[crew] <= hour
                and not any(leave <= h < back for leave, back in roster["away"] for h in need)
            ]
            if fit:
                crew = min(fit)[1]
                repair = len(stages[job["name"]]) == 1 and job["fault_hours"] > 0
                given[crew] += len(need) if counts_repairs or not repair else 0
                last[crew] = running[job["name"]] = hour + len(need)
                runs.append({"job": job["name"], "crew": crew, "starts": hour, "ends": hour + len(need)})
        hour += 1
    return {"answer": last, "state": {"runs": in_order(runs), "unfinished": 0}}


def reference(total: int, jobs: list[Job], crews: dict[str, Roster]) -> dict[str, int]:
    return hand_out(total, jobs, crews)["answer"]


def accepts(
    answer: dict[str, int], state: Rota, total: int, jobs: list[Job], crews: dict[str, Roster]
) -> bool:
    return {"answer": answer, "state": state} == hand_out(total, jobs, crews)


def mistakes(total: int, jobs: list[Job], crews: dict[str, Roster]) -> dict:
    return {
        "takes the jobs in alphabetical order": hand_out(total, jobs, crews, longest_first=False),
        "takes the first crew that fits": hand_out(total, jobs, crews, least_worked=False),
        "does not count repairs as work": hand_out(total, jobs, crews, counts_repairs=False),
    }


def solve(tools, total):
    board = tools.read_board()
    rosters = {crew: tools.call_crew(crew=crew) for crew in board["crews"]}
    free_at, given = dict.fromkeys(rosters, 0), dict.fromkeys(rosters, 0)
    hour, ended, passed = 0, [], 0
    to_inspect, works, ends = board["posted"], {}, {}
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
        for job in sorted(works, key=lambda job: (-works[job]["hours"], job)):
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
                ends[job] = free_at[crew] = tools.start(job=job, crew=crew)["ends"]
                given[crew] += works.pop(job)["hours"]
        returns = [back for crew in rosters for leave, back in rosters[crew]["away"]]
        later = [moment for moment in returns + list(ends.values()) if moment > hour]
        tick = tools.wait(hours=min(min(later) - hour, 48))
        hour, ended = tick["hour"], tick["ended"]


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


RULES_THAT_MATTER = (1, 2, 3, 3, 3)


def generate(random, difficulty: int) -> dict:
    total = (2, 4, 7, 11, 18)[difficulty - 1]
    parts = random.sample(PARTS, (1, 2, 2, 3, 5)[difficulty - 1])
    names = random.sample(CREWS, (2, 2, 3, 3, 4)[difficulty - 1])
    stages = list(STAGES)
    while True:
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
                    "fault_hours": random.randint(1, 5) if random.random() < 0.3 else 0,
                    "after": sorted(f"{before} {what}" for what, before in own + other[:2]),
                }
            )
        trades = {name: set(random.sample(TRADES, random.randint(1, 3))) for name in names}
        for trade in TRADES:
            trades[random.choice(names)].add(trade)
        crews = {name: {"trades": sorted(trades[name]), "away": draw_away(random)} for name in names}
        config = {"total": total, "jobs": jobs, "crews": crews}
        right = hand_out(**config)
        present = {name: {"trades": crews[name]["trades"], "away": []} for name in names}
        away_matters = right != hand_out(total, jobs, present)
        # Worth asking only if every crew works and absences and forgotten rules change the rota.
        wrong = [mistake != right for mistake in mistakes(**config).values()]
        if all(right["answer"].values()) and away_matters and sum(wrong) >= RULES_THAT_MATTER[difficulty - 1]:
            return config
