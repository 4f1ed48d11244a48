"""Surveyors have marked points in a cave; points[k] is the triple (east, north, height) of point k in
metres. A light that hangs at a point shines on every point whose horizontal distance from it, in a
straight line, is at most `shine` metres; heights do not matter for that. Lights are hung in this
way: the points are visited in the order of their numbers, and a light is hung at each point that no
light shines on yet, unless the point lies lower than `water` metres. Answer with the numbers of the
points with a light.

You are not shown points; ask the tools about it. You know shine = {shine}, water = {water}.
"""


META = {
    'title': 'Cave lights',
    'tags': ['traced'],
    'public': ['shine', 'water'],
    'source': 'codegym-mcp examples, problem cave-lights',
    'license': 'MIT',
}


def is_lit(points, light, point, shine):
    east = points[light][0] - points[point][0]
    north = points[light][1] - points[point][1]
    return east * east + north * north <= shine * shine

def is_flooded(points, point, water):
    return points[point][2] < water

def hang_lights(points, shine, water):
    lights = []
    for point in range(len(points)):
        if is_flooded(points, point, water):
            continue
        lit = False
        for light in lights:
            if is_lit(points, light, point, shine):
                lit = True
                break
        if not lit:
            lights.append(point)
    return lights


class Environment:
    def __init__(self, points: list[tuple[int, int, int]], shine: int, water: int):
        self.points = [tuple(item) for item in points]

    def count_points(self) -> int:
        """Returns the length of `points`."""
        return len(self.points)

    def is_flooded(self, point: int, water: int) -> bool:
        """Returns whether a point lies lower than `water`.

        Args:
            point: position in `points`, counted from 0.
            water: a whole number, for example the `water` of the task.
        """
        if not 0 <= point < len(self.points):
            raise ValueError(f"point must be at least 0 and less than {len(self.points)}.")
        try:
            return bool(is_flooded(self.points, point, water))
        except Exception:
            raise ValueError("is_flooded is not defined for this point and water; choose other arguments.")

    def is_lit(self, light: int, point: int, shine: int) -> bool:
        """Returns whether a light at point `light` shines on another point.

        Args:
            light: position in `points`, counted from 0.
            point: position in `points`, counted from 0.
            shine: a whole number, for example the `shine` of the task.
        """
        if not 0 <= light < len(self.points):
            raise ValueError(f"light must be at least 0 and less than {len(self.points)}.")
        if not 0 <= point < len(self.points):
            raise ValueError(f"point must be at least 0 and less than {len(self.points)}.")
        try:
            return bool(is_lit(self.points, light, point, shine))
        except Exception:
            raise ValueError("is_lit is not defined for this light, point and shine; choose other arguments.")


def reference(points: list[tuple[int, int, int]], shine: int, water: int) -> list[int]:
    return hang_lights([tuple(item) for item in points], shine, water)


def solve(tools, shine, water):
    count_points = tools.count_points()
    lights = []
    for point in range(count_points):
        if tools.is_flooded(point=point, water=water):
            continue
        lit = False
        for light in lights:
            if tools.is_lit(light=light, point=point, shine=shine):
                lit = True
                break
        if not lit:
            lights.append(point)
    return lights
