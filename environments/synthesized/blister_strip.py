"""A blister strip of a hospital pharmacy has {pockets} pockets in a row, numbered from 0. A pocket holds a pill of one
of several colours, or is empty. A mirror piece is a part of the strip with an odd number of pockets that looks the
same from both ends: of every two pockets that lie equally far from its middle, both hold pills of the same colour,
or at least one of them is empty. Any single pocket is a mirror piece.

Find the longest mirror piece; of several longest ones, the one that begins first. Answer with two numbers: the number
of its first pocket, and how many pockets it has.
"""

META = {
    "title": "Blister strip",
    "tags": ["texts", "search"],
    "public": ["pockets"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem worn-inscription",
}


class Environment:
    def __init__(self, pockets: int, strip: str):
        if pockets < 1 or len(strip) != pockets or set(strip) - set("abcde."):
            raise ValueError("the strip has one of the signs a to e or . for each pocket")
        self.strip = strip

    def is_empty(self, pocket: int) -> bool:
        """Feel whether a pocket is empty.

        Args:
            pocket: number of the pocket.
        """
        check_pocket(pocket, self.strip)
        return self.strip[pocket] == "."

    def same_colour(self, pocket: int, other: int) -> bool:
        """Hold the pills of two pockets side by side: whether they have the same colour; refused if one is empty.

        Args:
            pocket: number of one pocket.
            other: number of the other pocket.
        """
        for each in (pocket, other):
            check_pocket(each, self.strip)
            if self.strip[each] == ".":
                raise ValueError(f"pocket {each} is empty")
        return self.strip[pocket] == self.strip[other]


def check_pocket(pocket, strip):
    if not 0 <= pocket < len(strip):
        raise ValueError(f"pockets have the numbers 0 to {len(strip) - 1}")


def find_longest(strip, empty_fits, last):
    best = [0, 1]
    for middle in range(len(strip)):
        reach = 0
        while 0 < middle - reach and middle + reach + 1 < len(strip):
            pair = strip[middle - reach - 1] + strip[middle + reach + 1]
            if pair[0] != pair[1] and not (empty_fits and "." in pair):
                break
            reach += 1
        if 2 * reach + 1 > best[1] or (last and 2 * reach + 1 == best[1]):
            best = [middle - reach, 2 * reach + 1]
    return best


def reference(pockets: int, strip: str) -> list[int]:
    return find_longest(strip, True, False)


def mistakes(pockets: int, strip: str) -> dict[str, list[int]]:
    return {"empty pockets match only empty ones": find_longest(strip, False, False)}


def generate(random, difficulty):
    strip = ""
    for attempt in range(40):
        pockets = random.randint(*[(7, 9), (11, 13), (18, 22), (28, 32), (40, 46)][difficulty - 1])
        half = "".join(random.choice("abcde.") for place in range(random.randint(2, 2 + 2 * difficulty)))
        mirror = half + random.choice("abc") + "".join(random.choice([sign, sign, "."]) for sign in half[::-1])
        before = "".join(random.choice("abcde") for place in range(random.randint(0, max(1, pockets - len(mirror)))))
        after = "".join(random.choice("abcde") for place in range(pockets))
        strip = (before + mirror + after)[:pockets]
        if find_longest(strip, True, False) != find_longest(strip, False, False):
            break
    return {"pockets": len(strip), "strip": strip}


def solve(tools, pockets):
    empty = [tools.is_empty(pocket=pocket) for pocket in range(pockets)]
    known = {}

    def match(one, other):
        if empty[one] or empty[other]:
            return True
        if (one, other) not in known:
            known[one, other] = tools.same_colour(pocket=one, other=other)
        return known[one, other]

    best = [0, 1]
    for middle in range(pockets):
        reach = 0
        most = min(middle, pockets - 1 - middle)
        if 2 * most + 1 <= best[1]:
            continue
        while reach < most and match(middle - reach - 1, middle + reach + 1):
            reach += 1
        if 2 * reach + 1 > best[1]:
            best = [middle - reach, 2 * reach + 1]
    return best
