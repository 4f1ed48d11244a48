"""An underground car park has a straight lane with {posts} posts, numbered from 0, one metre apart and of different
heights. A camera is on top of post {camera} and looks along the lane to the posts with higher numbers. A post hides
every post behind it whose top does not rise above the straight line from the camera over its own top. Tops are points.
On some posts hangs a lamp.

Answer with the numbers of the posts beyond the camera that have a lamp and whose tops are hidden by no post between,
in ascending order; the list may be empty.
"""

META = {
    "title": "Lane camera",
    "tags": ["geometry", "scanning"],
    "public": ["posts", "camera"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem beacon-sight",
}


class Environment:
    def __init__(self, posts: int, camera: int, heights: list[int], lamps: list[int]):
        if posts < 1 or len(heights) != posts or not 0 <= camera < posts:
            raise ValueError("there must be a height for each post, and the camera is on one of them")
        if any(not 0 <= lamp < posts for lamp in lamps):
            raise ValueError("lamps hang on posts that exist")
        self.heights = heights
        self.camera = camera
        self.lamps = lamps

    def rises_above(self, near: int, far: int) -> bool:
        """Stretch a line from the camera over the top of a post: whether a post behind it rises above the line.

        Args:
            near: number of the post over which the line goes; it is beyond the camera.
            far: number of a post behind that one.
        """
        if not self.camera < near < far < len(self.heights):
            raise ValueError(f"the line goes over a post after {self.camera} to one behind it, before {len(self.heights)}")
        rise = self.heights[near] - self.heights[self.camera]
        return (self.heights[far] - self.heights[self.camera]) * (near - self.camera) > rise * (far - self.camera)

    def has_lamp(self, post: int) -> bool:
        """Look whether a lamp hangs on a post.

        Args:
            post: number of the post.
        """
        if not 0 <= post < len(self.heights):
            raise ValueError(f"posts have the numbers 0 to {len(self.heights) - 1}")
        return post in self.lamps


def look(camera, heights, lamps, by_angle):
    seen, best = [], None
    for post in range(camera + 1, len(heights)):
        rise, distance = heights[post] - heights[camera], post - camera if by_angle else 1
        if best is None or rise * best[1] > best[0] * distance:
            best = (rise, distance)
            if post in lamps:
                seen.append(post)
    return seen


def reference(posts: int, camera: int, heights: list[int], lamps: list[int]) -> list[int]:
    return look(camera, heights, lamps, True)


def mistakes(posts: int, camera: int, heights: list[int], lamps: list[int]) -> dict[str, list[int]]:
    return {"only higher posts are seen": look(camera, heights, lamps, False)}


def generate(random, difficulty):
    config = {}
    for attempt in range(40):
        posts = random.randint(*[(12, 14), (17, 20), (28, 34), (48, 58), (90, 110)][difficulty - 1])
        camera = random.randint(0, posts // 8)
        # The lane descends and rises again, so that posts are seen all along it.
        heights = [30 + (post - posts // 3) ** 2 * 90 // posts**2 + random.randint(-4, 4) for post in range(posts)]
        heights[camera] = 60 + random.randint(0, 30)
        lamps = [post for post in range(posts) if random.random() < 0.6]
        config = {"posts": posts, "camera": camera, "heights": heights, "lamps": lamps}
        right = look(camera, heights, lamps, True)
        if len(right) >= 2 and right != look(camera, heights, lamps, False):
            return config
    return config


def solve(tools, posts, camera):
    found = []
    horizon = None
    for post in range(camera + 1, posts):
        # The visible post whose line is the steepest hides most.
        if horizon is None or tools.rises_above(near=horizon, far=post):
            horizon = post
            if tools.has_lamp(post=post):
                found.append(post)
    return found
