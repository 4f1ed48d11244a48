"""A fence maker walks along a row of posts and selects some of them, from left to right, so that every
selected post is strictly taller than the one selected before it; heights[p] is the height of post p
in centimetres. A post that is older than `age` years must not be selected; ages[p] is its age. For
each number k for which k posts can be selected, look at all selections of k posts, and at the last
post of each. Answer with a list whose first number is for k = 1, the next one for k = 2, and so on:
the number of the lowest last post, and of several equally low ones the one with the greatest
number.

You are not shown heights and ages; ask the tools about them. You know age = {age}.
"""


META = {
    'title': 'Growing posts',
    'tags': ['traced'],
    'public': ['age'],
    'source': 'codegym-mcp examples, problem growing-posts',
    'license': 'MIT',
}


def is_too_old(ages, post, age):
    return ages[post] > age

def is_lower(heights, one, other):
    return heights[one] < heights[other]

def last_posts(heights, ages, age):
    posts = len(heights)
    ends = []
    for post in range(posts):
        if is_too_old(ages, post, age):
            continue
        low, high = (0, len(ends))
        while low < high:
            middle = (low + high) // 2
            if is_lower(heights, ends[middle], post):
                low = middle + 1
            else:
                high = middle
        ends[low:low + 1] = [post]
    return ends


class Environment:
    def __init__(self, heights: list[int], ages: list[int], age: int):
        self.heights = heights
        self.ages = ages

    def count_heights(self) -> int:
        """Returns the length of `heights`."""
        return len(self.heights)

    def is_too_old(self, post: int, age: int) -> bool:
        """Returns whether a post is older than `age` years.

        Args:
            post: position in `ages`, counted from 0.
            age: a whole number, for example the `age` of the task.
        """
        if not 0 <= post < len(self.ages):
            raise ValueError(f"post must be at least 0 and less than {len(self.ages)}.")
        try:
            return bool(is_too_old(self.ages, post, age))
        except Exception:
            raise ValueError("is_too_old is not defined for this post and age; choose other arguments.")

    def is_lower(self, one: int, other: int) -> bool:
        """Returns whether post `one` is strictly lower than post `other`.

        Args:
            one: position in `heights`, counted from 0.
            other: position in `heights`, counted from 0.
        """
        if not 0 <= one < len(self.heights):
            raise ValueError(f"one must be at least 0 and less than {len(self.heights)}.")
        if not 0 <= other < len(self.heights):
            raise ValueError(f"other must be at least 0 and less than {len(self.heights)}.")
        try:
            return bool(is_lower(self.heights, one, other))
        except Exception:
            raise ValueError("is_lower is not defined for this one and other; choose other arguments.")


def reference(heights: list[int], ages: list[int], age: int) -> list[int]:
    return last_posts(heights, ages, age)


def solve(tools, age):
    count_heights = tools.count_heights()
    posts = count_heights
    ends = []
    for post in range(posts):
        if tools.is_too_old(post=post, age=age):
            continue
        low, high = (0, len(ends))
        while low < high:
            middle = (low + high) // 2
            if tools.is_lower(one=ends[middle], other=post):
                low = middle + 1
            else:
                high = middle
        ends[low:low + 1] = [post]
    return ends
