"""Posts stand in a meadow; posts[p] is the pair of coordinates (east, north) of post p in metres, and
no two posts stand at the same place. A shepherd runs a fence round all posts, as short as possible.
Beginning at the westernmost post (of several, the southernmost one of them), the shepherd walks
along the fence counter-clockwise, so that all other posts are to the left of the way or on it.
Posts on a straight piece of the fence between two corners are passed by. Answer with the numbers of
the corners in the order of the walk, the first one only once. A single post is its own fence, and
if all posts stand on one line, the corners are the two ends.

You are not shown posts; ask the tools about it.
"""


META = {
    'title': 'Sheep fence',
    'tags': ['traced'],
    'source': 'codegym-mcp examples, problem sheep-fence',
    'license': 'MIT',
}


def is_further_west(posts, one, other):
    return posts[one] < posts[other]

def is_to_the_right(posts, start, end, post):
    east = posts[end][0] - posts[start][0]
    north = posts[end][1] - posts[start][1]
    return east * (posts[post][1] - posts[start][1]) < north * (posts[post][0] - posts[start][0])

def is_behind(posts, start, end, post):
    east = posts[end][0] - posts[start][0]
    north = posts[end][1] - posts[start][1]
    further_east = posts[post][0] - posts[end][0]
    further_north = posts[post][1] - posts[end][1]
    return east * further_north == north * further_east and east * further_east + north * further_north > 0

def corners(posts):
    count = len(posts)
    first = 0
    for post in range(1, count):
        if is_further_west(posts, post, first):
            first = post
    found = []
    here = first
    while count > 0 and len(found) < count:
        found.append(here)
        end = -1
        for post in range(count):
            if post == here:
                continue
            if end < 0:
                end = post
            elif is_to_the_right(posts, here, end, post):
                end = post
            elif is_behind(posts, here, end, post):
                end = post
        if end < 0 or end == first:
            break
        here = end
    return found


class Environment:
    def __init__(self, posts: list[tuple[int, int]]):
        self.posts = [tuple(item) for item in posts]

    def count_posts(self) -> int:
        """Returns the length of `posts`."""
        return len(self.posts)

    def is_further_west(self, one: int, other: int) -> bool:
        """Returns whether post `one` is further west than `other`, or as far west and further south.

        Args:
            one: position in `posts`, counted from 0.
            other: position in `posts`, counted from 0.
        """
        if not 0 <= one < len(self.posts):
            raise ValueError(f"one must be at least 0 and less than {len(self.posts)}.")
        if not 0 <= other < len(self.posts):
            raise ValueError(f"other must be at least 0 and less than {len(self.posts)}.")
        try:
            return bool(is_further_west(self.posts, one, other))
        except Exception:
            raise ValueError("is_further_west is not defined for this one and other; choose other arguments.")

    def is_to_the_right(self, start: int, end: int, post: int) -> bool:
        """Returns whether a post is to the right of the straight way from post `start` to post `end`.

        Args:
            start: position in `posts`, counted from 0.
            end: position in `posts`, counted from 0.
            post: position in `posts`, counted from 0.
        """
        if not 0 <= start < len(self.posts):
            raise ValueError(f"start must be at least 0 and less than {len(self.posts)}.")
        if not 0 <= end < len(self.posts):
            raise ValueError(f"end must be at least 0 and less than {len(self.posts)}.")
        if not 0 <= post < len(self.posts):
            raise ValueError(f"post must be at least 0 and less than {len(self.posts)}.")
        try:
            return bool(is_to_the_right(self.posts, start, end, post))
        except Exception:
            raise ValueError("is_to_the_right is not defined for this start, end and post; choose other arguments.")

    def is_behind(self, start: int, end: int, post: int) -> bool:
        """Returns whether a post is on the straight line from post `start` through post `end`, behind `end`.

        Args:
            start: position in `posts`, counted from 0.
            end: position in `posts`, counted from 0.
            post: position in `posts`, counted from 0.
        """
        if not 0 <= start < len(self.posts):
            raise ValueError(f"start must be at least 0 and less than {len(self.posts)}.")
        if not 0 <= end < len(self.posts):
            raise ValueError(f"end must be at least 0 and less than {len(self.posts)}.")
        if not 0 <= post < len(self.posts):
            raise ValueError(f"post must be at least 0 and less than {len(self.posts)}.")
        try:
            return bool(is_behind(self.posts, start, end, post))
        except Exception:
            raise ValueError("is_behind is not defined for this start, end and post; choose other arguments.")


def reference(posts: list[tuple[int, int]]) -> list[int]:
    return corners([tuple(item) for item in posts])


def solve(tools):
    count_posts = tools.count_posts()
    count = count_posts
    first = 0
    for post in range(1, count):
        if tools.is_further_west(one=post, other=first):
            first = post
    found = []
    here = first
    while count > 0 and len(found) < count:
        found.append(here)
        end = -1
        for post in range(count):
            if post == here:
                continue
            if end < 0:
                end = post
            elif tools.is_to_the_right(start=here, end=end, post=post):
                end = post
            elif tools.is_behind(start=here, end=end, post=post):
                end = post
        if end < 0 or end == first:
            break
        here = end
    return found
