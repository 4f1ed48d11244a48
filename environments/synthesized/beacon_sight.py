"""Hills stand in a row, one kilometre apart; heights[h] is the height of hill h in metres, and
marked[h] says whether there is a beacon on it. A guard on the hill with the number `post` looks to
the right, to the hills with higher numbers. A hill hides every hill behind it that does not rise
above the straight line from the guard's hilltop over its own top. Hilltops are points; the curve of
the earth does not count. Answer with the numbers of the hills to the right that have a beacon and
are not hidden by a hill between, in ascending order.

You are not shown heights and marked; ask the tools about them. You know post = {post}.
"""


META = {
    'title': 'Beacon sight',
    'tags': ['traced'],
    'public': ['post'],
    'source': 'codegym-mcp examples, problem beacon-sight',
    'license': 'MIT',
}


def rises_above(heights, post, near, far):
    rise = heights[near] - heights[post]
    return (heights[far] - heights[post]) * (near - post) > rise * (far - post)

def has_beacon(marked, hill):
    return marked[hill]

def visible_beacons(heights, marked, post):
    hills = len(heights)
    seen = []
    steepest = post + 1
    for hill in range(post + 1, hills):
        if hill > post + 1:
            if not rises_above(heights, post, steepest, hill):
                continue
            steepest = hill
        if has_beacon(marked, hill):
            seen.append(hill)
    return seen


class Environment:
    def __init__(self, heights: list[int], marked: list[bool], post: int):
        self.heights = heights
        self.marked = marked

    def count_heights(self) -> int:
        """Returns the length of `heights`."""
        return len(self.heights)

    def rises_above(self, post: int, near: int, far: int) -> bool:
        """Returns whether hill `far` rises above the line from hill `post` over the top of hill `near`.

        Args:
            post: position in `heights`, counted from 0.
            near: position in `heights`, counted from 0.
            far: position in `heights`, counted from 0.
        """
        if not 0 <= post < len(self.heights):
            raise ValueError(f"post must be at least 0 and less than {len(self.heights)}.")
        if not 0 <= near < len(self.heights):
            raise ValueError(f"near must be at least 0 and less than {len(self.heights)}.")
        if not 0 <= far < len(self.heights):
            raise ValueError(f"far must be at least 0 and less than {len(self.heights)}.")
        try:
            return bool(rises_above(self.heights, post, near, far))
        except Exception:
            raise ValueError("rises_above is not defined for this post, near and far; choose other arguments.")

    def has_beacon(self, hill: int) -> bool:
        """Returns whether there is a beacon on a hill.

        Args:
            hill: position in `marked`, counted from 0.
        """
        if not 0 <= hill < len(self.marked):
            raise ValueError(f"hill must be at least 0 and less than {len(self.marked)}.")
        try:
            return bool(has_beacon(self.marked, hill))
        except Exception:
            raise ValueError("has_beacon is not defined for this hill; choose other arguments.")


def reference(heights: list[int], marked: list[bool], post: int) -> list[int]:
    return visible_beacons(heights, marked, post)


def solve(tools, post):
    count_heights = tools.count_heights()
    hills = count_heights
    seen = []
    steepest = post + 1
    for hill in range(post + 1, hills):
        if hill > post + 1:
            if not tools.rises_above(post=post, near=steepest, far=hill):
                continue
            steepest = hill
        if tools.has_beacon(hill=hill):
            seen.append(hill)
    return seen
