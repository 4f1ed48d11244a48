"""A submarine has {jobs} repair jobs, numbered from 0, and one engineer. A job can be done in any watch from the one
in which its part is ready to its deadline, both included, and takes one watch. In each watch the engineer does, among
the jobs that can be done in it and have not been done, the one with the earliest deadline; of several, the one with
the smallest number. If there is none, the engineer sleeps in that watch. The dive has {watches} watches, one
after another, and begins in watch 0. A tool that inspects or does a job acts in the current watch.

Lead the engineer through all watches. Answer with a list that has, for each watch in order, the number of the job
that was done, or -1 for sleep.
"""

from typing import Literal

META = {
    "title": "Repair watches",
    "tags": ["schedules", "deadlines"],
    "public": ["jobs", "watches"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem harvest-crews",
}


class Environment:
    def __init__(self, jobs: int, watches: int, ready: list[int], deadlines: list[int]):
        if jobs < 1 or watches < 1 or len(ready) != jobs or len(deadlines) != jobs:
            raise ValueError("there must be a watch, and a ready watch and a deadline for each job")
        self.ready = ready
        self.deadlines = deadlines
        self.watches = watches
        self.watch = 0
        self.done = []

    def inspect_job(self, job: int) -> Literal["not ready", "possible", "too late", "done"]:
        """Look whether a job can be done in the current watch.

        Args:
            job: number of the job.

        Returns:
            "not ready" if its part comes later, "too late" if its deadline has passed, "done" if it has been done.
        """
        check_job(job, self.ready)
        if job in self.done:
            return "done"
        if self.watch < self.ready[job]:
            return "not ready"
        return "possible" if self.watch <= self.deadlines[job] else "too late"

    def is_more_urgent(self, job: int, other: int) -> bool:
        """Compare two jobs: whether the deadline of the first one is earlier than that of the second one.

        Args:
            job: number of the first job.
            other: number of the second job.
        """
        check_job(job, self.ready)
        check_job(other, self.ready)
        return self.deadlines[job] < self.deadlines[other]

    def do_job(self, job: int) -> int:
        """Do a job in the current watch; then the next watch begins. Refused if the job is not possible now.

        Args:
            job: number of the job.

        Returns:
            The number of watches that are left.
        """
        state = self.inspect_job(job)
        if state != "possible":
            raise ValueError(f"job {job} cannot be done in this watch: {state}")
        return finish_watch(self, job)

    def sleep(self) -> int:
        """Let the engineer sleep in the current watch; then the next watch begins.

        Returns:
            The number of watches that are left.
        """
        return finish_watch(self, None)


def finish_watch(ship, job):
    if ship.watch == ship.watches:
        raise ValueError("the dive is over")
    if job is not None:
        ship.done.append(job)
    ship.watch += 1
    return ship.watches - ship.watch


def check_job(job, ready):
    if not 0 <= job < len(ready):
        raise ValueError(f"jobs have the numbers 0 to {len(ready) - 1}")


def work(watches, ready, deadlines, urgent_first):
    order = []
    for watch in range(watches):
        possible = [job for job in range(len(ready)) if ready[job] <= watch <= deadlines[job] and job not in order]
        possible.sort(key=lambda job: (deadlines[job] if urgent_first else 0, job))
        order.append(possible[0] if possible else -1)
    return order


def reference(jobs: int, watches: int, ready: list[int], deadlines: list[int]) -> list[int]:
    return work(watches, ready, deadlines, True)


def mistakes(jobs: int, watches: int, ready: list[int], deadlines: list[int]) -> dict[str, list[int]]:
    return {"smallest number first": work(watches, ready, deadlines, False)}


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        jobs = random.randint(*[(4, 5), (5, 6), (7, 8), (9, 11), (12, 13)][difficulty - 1])
        watches = [4, 5, 7, 9, 12][difficulty - 1]
        ready = [random.randint(0, watches - 2) for job in range(jobs)]
        deadlines = [start + random.randint(0, 5) for start in ready]
        config = {"jobs": jobs, "watches": watches, "ready": ready, "deadlines": deadlines}
        if work(watches, ready, deadlines, True) != work(watches, ready, deadlines, False):
            return config
    return config


def solve(tools, jobs, watches):
    # All jobs by urgency; jobs with the same deadline stay in the order of their numbers.
    def merge(group):
        if len(group) < 2:
            return group
        first, second = merge(group[: len(group) // 2]), merge(group[len(group) // 2 :])
        merged = []
        while first and second:
            if tools.is_more_urgent(job=second[0], other=first[0]):
                merged.append(second.pop(0))
            else:
                merged.append(first.pop(0))
        return merged + first + second

    order = merge(list(range(jobs)))
    answers = []
    for watch in range(watches):
        choice = -1
        for job in list(order):
            state = tools.inspect_job(job=job)
            if state == "possible":
                choice = job
                break
            if state in ("too late", "done"):
                order.remove(job)
        if choice < 0:
            tools.sleep()
        else:
            tools.do_job(job=choice)
            order.remove(choice)
        answers.append(choice)
    return answers
