"""At night a bakery's belt carries {places} places, numbered from 0. On each place lies a light loaf, a dark loaf, or
nothing. The pattern is what the first {loaves} loaves on the belt show, one after another; empty places before and
between them are left out. It is looked for again on the rest of the belt, from left to right. A sighting begins
with a loaf, and empty places between its loaves do not count. After a sighting the search goes on behind its last
loaf, so that sightings do not overlap.

Answer with the places at which the sightings begin, in ascending order; the pattern itself is the first one. If the
belt has fewer than {loaves} loaves, answer with an empty list.
"""

META = {
    "title": "Loaf pattern",
    "tags": ["texts", "matching"],
    "public": ["places", "loaves"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem fog-signals",
}


class Environment:
    def __init__(self, places: int, loaves: int, belt: str):
        if places < 1 or len(belt) != places or set(belt) - set("LD.") or loaves < 1:
            raise ValueError("the belt has one of the signs L, D and . for each place, and the pattern has loaves")
        self.belt = belt

    def next_loaf(self, place: int) -> int | None:
        """Return the first place from a given one on, itself included, on which a loaf lies; null if there is none.

        Args:
            place: number of a place.
        """
        check_place(place, self.belt)
        return next((there for there in range(place, len(self.belt)) if self.belt[there] != "."), None)

    def look_alike(self, place: int, other: int) -> bool:
        """Compare the loaves on two places: whether both are light or both dark; refused if a place is empty.

        Args:
            place: number of one place.
            other: number of the other place.
        """
        for each in (place, other):
            check_place(each, self.belt)
            if self.belt[each] == ".":
                raise ValueError(f"place {each} is empty")
        return self.belt[place] == self.belt[other]


def check_place(place, belt):
    if not 0 <= place < len(belt):
        raise ValueError(f"places have the numbers 0 to {len(belt) - 1}")


def find(belt, loaves, overlapping):
    filled = [place for place in range(len(belt)) if belt[place] != "."]
    text = "".join(belt[place] for place in filled)
    if len(text) < loaves:
        return []
    found, at = [], 0
    while at + loaves <= len(text):
        if text[at : at + loaves] == text[:loaves]:
            found.append(filled[at])
            at += 1 if overlapping else loaves
        else:
            at += 1
    return found


def reference(places: int, loaves: int, belt: str) -> list[int]:
    return find(belt, loaves, False)


def mistakes(places: int, loaves: int, belt: str) -> dict[str, list[int]]:
    return {"sightings overlap": find(belt, loaves, True)}


def generate(random, difficulty):
    places = random.randint(*[(9, 11), (13, 16), (22, 27), (36, 44), (62, 76)][difficulty - 1])
    loaves = random.randint(3, 4 + difficulty // 3)
    # A pattern that begins as it ends, so that sightings can overlap.
    half = "".join(random.choice("LD") for loaf in range(loaves - 1))
    pattern = half + half[0]
    signs = pattern + half[1:] + half[0]
    while len(signs) < places:
        signs += random.choice([pattern, half[1:] + half[0], random.choice("LD"), random.choice("LD")])
    belt = "".join(random.choice(["", "", ".", ".."]) + sign for sign in signs)
    return {"places": places, "loaves": loaves, "belt": belt[:places]}


def solve(tools, places, loaves):
    belt = []
    place = 0
    while place < places:
        place = tools.next_loaf(place=place)
        if place is None:
            break
        belt.append(place)
        place += 1
    if len(belt) < loaves:
        return []
    if loaves == 0:
        return []
    known = {}

    def alike(one, other):
        if one == other:
            return True
        key = (min(one, other), max(one, other))
        if key not in known:
            known[key] = tools.look_alike(place=belt[one], other=belt[other])
        return known[key]

    # One comparison with the first loaf tells the colour of every loaf.
    found = [belt[0]]
    start = loaves
    while start + loaves <= len(belt):
        if all(alike(0, start + k) == alike(0, k) for k in range(loaves)):
            found.append(belt[start])
            start += loaves
        else:
            start += 1
    return found
