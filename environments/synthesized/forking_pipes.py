"""The main pipe of a water works divides again and again. A pipe either ends in an outlet, or divides at a
fork into a left and a right pipe. All pipes have codes; the main pipe has the code {main}. What flows
through a pipe is what flows out of all outlets behind it.

A fork is balanced if as much flows through its left pipe as through its right one. Answer with a list
of three numbers: the litres that flow through the main pipe in a minute, the number of forks, and how
many of them are balanced.
"""

from typing import TypedDict

META = {
    "title": "Forking pipes",
    "tags": ["trees", "recursion"],
    "public": ["main"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem hanging-mobile",
}


class Fork(TypedDict):
    left: str
    right: str


class Environment:
    def __init__(self, main: str, forks: dict[str, list[str]], outlets: dict[str, int]):
        check_network(main, forks, outlets)
        self.forks = forks
        self.outlets = outlets

    def follow_pipe(self, pipe: str) -> Fork | None:
        """Follow a pipe to its end.

        Args:
            pipe: the code of the pipe.

        Returns:
            The codes of the two pipes behind the fork at its end, or null if it ends in an outlet.
        """
        if pipe in self.forks:
            return {"left": self.forks[pipe][0], "right": self.forks[pipe][1]}
        if pipe in self.outlets:
            return None
        raise ValueError("no pipe has this code")

    def measure_outlet(self, pipe: str) -> int:
        """Measure what flows out of the outlet of a pipe, in litres a minute; refused for a pipe with a fork.

        Args:
            pipe: the code of the pipe.
        """
        if pipe not in self.outlets:
            raise ValueError("no pipe with this code ends in an outlet")
        return self.outlets[pipe]


def check_network(main, forks, outlets):
    reached = [main]
    for pipe in reached:
        if pipe in forks:
            if len(forks[pipe]) != 2 or any(following in reached for following in forks[pipe]):
                raise ValueError("a fork needs two pipes, and every pipe comes out of one fork only")
            if forks[pipe][0] == forks[pipe][1]:
                raise ValueError("the two pipes of a fork need different codes")
            reached += forks[pipe]
        elif pipe not in outlets or outlets[pipe] < 0:
            raise ValueError("every pipe needs a fork, or an outlet with a flow that is not negative")
    if len(reached) != len(forks) + len(outlets):
        raise ValueError("every pipe has to be behind the main pipe, and has a fork or an outlet")


def reference(main: str, forks: dict[str, list[str]], outlets: dict[str, int]) -> list[int]:
    check_network(main, forks, outlets)
    order = [main]
    for pipe in order:
        order += forks.get(pipe, [])
    flows = dict(outlets)
    balanced = 0
    for pipe in order[::-1]:
        if pipe in forks:
            left, right = [flows[following] for following in forks[pipe]]
            flows[pipe] = left + right
            balanced += left == right
    return [flows[main], len(forks), balanced]


def generate(random, difficulty):
    count = [4, 6, 11, 20, 38][difficulty - 1]
    names = random.sample(
        [a + b + str(n) for a in "BDGKLMNPRT" for b in "aeiou" for n in range(1, 8)], 2 * count + 1
    )
    forks = {}
    flows = {"main": 2 * random.randint(8, 16) * difficulty}
    ends = ["main"]
    while len(forks) < count:
        splittable = [pipe for pipe in ends if flows[pipe] > 1]
        pipe = random.choice(splittable or ends)
        ends.remove(pipe)
        left, right = names.pop(), names.pop()
        forks[pipe] = [left, right]
        even = flows[pipe] % 2 == 0 and random.random() < 0.55
        flows[left] = flows[pipe] // 2 if even else random.randint(0, flows[pipe])
        flows[right] = flows[pipe] - flows[left]
        ends += [left, right]
    return {"main": "main", "forks": forks, "outlets": {pipe: flows[pipe] for pipe in ends}}


def solve(tools, main):
    forks = balanced = 0

    def flow(pipe):
        nonlocal forks, balanced
        fork = tools.follow_pipe(pipe=pipe)
        if fork is None:
            return tools.measure_outlet(pipe=pipe)
        forks += 1
        left, right = flow(fork["left"]), flow(fork["right"])
        balanced += left == right
        return left + right

    whole = flow(main)
    return [whole, forks, balanced]
