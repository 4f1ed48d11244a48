"""A school puts {courses} courses, numbered from 0, into the timetable of two halls, A and B, one course
after another. The burden of a course is the number of its pupils times the number of its lessons.

A course whose burden is too great for the halls is refused. For every other course the two courses that
were put last into hall A and into hall B are compared: the course goes into the hall whose last course
has the smaller burden, and into hall A if both have the same burden. A hall without a course counts as
one whose last course has a smaller burden than any course; if both halls have none, the course goes
into hall A.

Answer with a text that has one letter for each course, in the order of their numbers: "A", "B", or "-"
for a course that is refused.
"""

from typing import Literal

META = {
    "title": "Two halls",
    "tags": ["puzzles", "schedules"],
    "public": ["courses"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem balance-beam",
}


class Environment:
    def __init__(self, courses: int, pupils: list[int], lessons: list[int], most: int):
        if courses < 1 or courses != len(pupils) or courses != len(lessons) or min(pupils + lessons) < 1:
            raise ValueError("every course needs pupils and lessons, at least 1")
        self.burdens = [one * other for one, other in zip(pupils, lessons)]
        self.most = most

    def is_too_great(self, course: int) -> bool:
        """Tell whether the burden of a course is too great for the halls.

        Args:
            course: the number of the course.
        """
        check_course(course, self.burdens)
        return self.burdens[course] > self.most

    def compare_burdens(self, course: int, other: int) -> Literal["smaller", "same", "greater"]:
        """Tell whether the burden of a course is smaller or greater than that of another one, or the same.

        Args:
            course: the number of the course.
            other: the number of the other course.
        """
        check_course(course, self.burdens)
        check_course(other, self.burdens)
        difference = self.burdens[course] - self.burdens[other]
        return "smaller" if difference < 0 else "greater" if difference else "same"


def check_course(course, burdens):
    if not 0 <= course < len(burdens):
        raise ValueError(f"the courses have the numbers 0 to {len(burdens) - 1}")


def fill(pupils, lessons, most, tie):
    last = {}
    plan = ""
    for burden in [one * other for one, other in zip(pupils, lessons)]:
        if burden > most:
            plan += "-"
            continue
        in_a, in_b = last.get("A", -1), last.get("B", -1)
        hall = "A" if in_a < in_b else "B" if in_a > in_b else tie if last else "A"
        last[hall] = burden
        plan += hall
    return plan


def reference(courses: int, pupils: list[int], lessons: list[int], most: int) -> str:
    return fill(pupils, lessons, most, "A")


def mistakes(courses: int, pupils: list[int], lessons: list[int], most: int) -> dict[str, str]:
    return {
        "refuses nothing": fill(pupils, lessons, 10**9, "A"),
        "pupils only": fill(pupils, [1] * courses, 10**9, "A"),
    }


def generate(random, difficulty):
    courses = [9, 14, 25, 45, 80][difficulty - 1]
    while True:
        config = {
            "courses": courses,
            "pupils": [random.randint(8, 30) for course in range(courses)],
            "lessons": [random.randint(1, 6) for course in range(courses)],
            "most": random.randint(90, 120),
        }
        if reference(**config) not in mistakes(**config).values():
            return config


def solve(tools, courses):
    last = {"A": None, "B": None}
    letters = ""
    for course in range(courses):
        if tools.is_too_great(course=course):
            letters += "-"
            continue
        if last["A"] is None:
            hall = "A"
        elif last["B"] is None:
            hall = "B"
        else:
            hall = "B" if tools.compare_burdens(course=last["A"], other=last["B"]) == "greater" else "A"
        last[hall] = course
        letters += hall
    return letters
