"""A glacier expedition has camps 0 to {top}, one above the other, and {loads} loads, numbered from 0, that wait in
camps. A porter starts at camp 0, climbs camp by camp up to camp {top} and goes down again camp by camp to camp 0. At
each of these stops, the first one at camp 0 and the one at camp {top} included, the porter first puts down the loads
whose goal is this camp, in the order in which they were taken up. Then the porter takes up loads that wait in this
camp, in the order of their numbers, as long as fewer than {most} loads are carried; a load is only taken up if its
goal lies in the direction of travel: above this camp on the way up, below it on the way down. At camp {top} the porter
is on the way down already. Loads that are still carried at the end do not count as put down.

Lead the porter. Answer with the numbers of the loads that were put down, in order.
"""

META = {
    "title": "Glacier porter",
    "tags": ["simulation", "queues"],
    "public": ["top", "loads", "most"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem goods-lift",
}


class Environment:
    def __init__(self, top: int, loads: int, most: int, waits: list[int], goals: list[int]):
        if top < 1 or loads < 1 or most < 1 or len(waits) != loads or len(goals) != loads:
            raise ValueError("there must be camps, loads, and a waiting camp and a goal for each load")
        if any(not 0 <= camp <= top for camp in waits + goals) or any(one == other for one, other in zip(waits, goals)):
            raise ValueError("loads wait in one camp and are to go to another one")
        self.top = top
        self.most = most
        self.waiting = {load: camp for load, camp in enumerate(waits)}
        self.goals = goals
        self.stop = 0
        self.carried = []

    def list_waiting(self) -> list[int]:
        """Return the numbers of the loads that wait in the camp where the porter is, in ascending order."""
        return sorted(load for load, camp in self.waiting.items() if camp == here(self))

    def read_goal(self, load: int) -> int:
        """Read the goal on the tag of a load; refused unless it waits in this camp or is carried.

        Args:
            load: number of the load.
        """
        if load not in self.carried and self.waiting.get(load) != here(self):
            raise ValueError("this load neither waits in this camp nor is carried")
        return self.goals[load]

    def take_up(self, load: int) -> int:
        """Take up a load that waits in this camp; refused if the porter cannot carry more.

        Args:
            load: number of the load.

        Returns:
            The number of loads that are carried now.
        """
        if self.waiting.get(load) != here(self):
            raise ValueError("this load does not wait in this camp")
        if len(self.carried) == self.most:
            raise ValueError(f"the porter carries {self.most} loads already")
        self.waiting.pop(load)
        self.carried.append(load)
        return len(self.carried)

    def put_down(self, load: int) -> int:
        """Put down a load in the camp that is its goal; refused elsewhere.

        Args:
            load: number of the load.

        Returns:
            The number of loads that are carried now.
        """
        if load not in self.carried or self.goals[load] != here(self):
            raise ValueError("this load is not carried, or its goal is another camp")
        self.carried.remove(load)
        return len(self.carried)

    def go_on(self) -> int:
        """Go on to the next camp, up to the top and then down; refused at the end of the way.

        Returns:
            The number of the camp where the porter is then.
        """
        if self.stop == 2 * self.top:
            raise ValueError("the porter is back at camp 0")
        self.stop += 1
        return here(self)


def here(porter):
    return porter.stop if porter.stop <= porter.top else 2 * porter.top - porter.stop


def carry(top, most, waits, goals, mind_direction):
    waiting, carried, done = list(range(len(waits))), [], []
    for stop in range(2 * top + 1):
        camp = stop if stop < top else 2 * top - stop
        done += [load for load in carried if goals[load] == camp]
        carried = [load for load in carried if goals[load] != camp]
        for load in list(waiting):
            ahead = goals[load] > camp if stop < top else goals[load] < camp
            if len(carried) < most and waits[load] == camp and (ahead or not mind_direction):
                waiting.remove(load)
                carried.append(load)
    return done


def reference(top: int, loads: int, most: int, waits: list[int], goals: list[int]) -> list[int]:
    return carry(top, most, waits, goals, True)


def mistakes(top: int, loads: int, most: int, waits: list[int], goals: list[int]) -> dict[str, list[int]]:
    return {
        "the direction of travel is ignored": carry(top, most, waits, goals, False),
        "any number of loads is carried": carry(top, loads, waits, goals, True),
    }


def generate(random, difficulty):
    config = {}
    for attempt in range(60):
        top = [2, 3, 4, 6, 9][difficulty - 1]
        loads = random.randint(*[(4, 5), (6, 8), (11, 13), (18, 22), (32, 38)][difficulty - 1])
        most = random.randint(2, 2 + difficulty // 2)
        waits = [random.randint(0, top) for load in range(loads)]
        goals = [random.choice([camp for camp in range(top + 1) if camp != wait]) for wait in waits]
        config = {"top": top, "loads": loads, "most": most, "waits": waits, "goals": goals}
        if reference(**config) not in mistakes(**config).values():
            return config
    return config


def solve(tools, top, loads, most):
    goals = {}
    carried = []
    delivered = []
    stops = [*range(top + 1), *range(top - 1, -1, -1)]
    for stop, camp in enumerate(stops):
        if stop > 0:
            tools.go_on()
        for load in list(carried):
            if goals[load] == camp:
                tools.put_down(load=load)
                carried.remove(load)
                delivered.append(load)
        if stop == len(stops) - 1:
            break
        if len(carried) >= most:
            continue
        up = stop < top
        for load in tools.list_waiting():
            if len(carried) >= most:
                break
            if load not in goals:
                goals[load] = tools.read_goal(load=load)
            if (goals[load] > camp) if up else (goals[load] < camp):
                tools.take_up(load=load)
                carried.append(load)
    return delivered
