"""A family archive has its volumes bound by an old sewing machine. It works by a punched strip of {holes}
letters "r", "l", "t" and "u", places 0 to {last_hole}, over {bands} bands, numbered from 0. Every band
has a slack in millimetres. The needle begins at band 0, and the tension begins at {tension}.

Follow the strip from place 0 on:
- "r" moves the needle one band to the right, "l" one band to the left; at an end of the row it stays
  where it is.
- "u" lowers the tension by 1; it may become 0 or negative.
- "t" tries a knot. If the slack of the band at the needle is greater than the tension, a knot is made
  there: the band loses as much slack as the tension says (1 if the tension is below 1), and the letter
  after this "t" is skipped without being carried out. Otherwise no knot is made, and the tension grows
  by 2.

The machine is broken, so that you move needle and tension in your head and make the knots by hand.
Answer with the list of the bands at which knots were made, in order; the list may be empty.
"""

from typing import Literal

META = {
    "title": "Sewing machine",
    "tags": ["parsing", "simulation"],
    "public": ["holes", "last_hole", "bands", "tension"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem loom-card",
}


class Environment:
    def __init__(self, holes: int, last_hole: int, bands: int, tension: int, strip: str, slack: list[int]):
        if holes < 1 or holes != len(strip) or last_hole != holes - 1 or set(strip) - set("rltu"):
            raise ValueError("the strip has to consist of the letters r, l, t and u")
        if bands < 1 or bands != len(slack) or min(slack) < 0:
            raise ValueError("every band needs a slack that is not negative")
        self.strip = strip
        self.slack = list(slack)

    def read_letter(self, place: int) -> Literal["r", "l", "t", "u"]:
        """Read the letter at a place of the strip.

        Args:
            place: the place, from 0.
        """
        if not 0 <= place < len(self.strip):
            raise ValueError(f"the strip has places 0 to {len(self.strip) - 1}")
        return self.strip[place]

    def is_slack(self, band: int, tension: int) -> bool:
        """Tell whether the slack that a band has now is greater than a tension.

        Args:
            band: the number of the band.
            tension: the tension, also 0 or negative.
        """
        check_band(band, self.slack)
        return self.slack[band] > tension

    def make_knot(self, band: int, millimetres: int) -> str:
        """Make a knot in a band, which loses slack by it.

        Args:
            band: the number of the band.
            millimetres: how much slack the band loses, at least 1 and at most what it has.
        """
        check_band(band, self.slack)
        if not 1 <= millimetres <= self.slack[band]:
            raise ValueError("a knot takes at least 1 millimetre, and no more than the slack of the band")
        self.slack[band] -= millimetres
        return "done"


def check_band(band, slack):
    if not 0 <= band < len(slack):
        raise ValueError(f"the bands have the numbers 0 to {len(slack) - 1}")


def sew(tension, strip, slack, skips):
    slack = list(slack)
    needle = place = 0
    made = []
    while place < len(strip):
        letter = strip[place]
        if letter == "r":
            needle = min(needle + 1, len(slack) - 1)
        elif letter == "l":
            needle = max(needle - 1, 0)
        elif letter == "u":
            tension -= 1
        elif slack[needle] > tension:
            made.append(needle)
            slack[needle] -= max(1, tension)
            place += skips
        else:
            tension += 2
        place += 1
    return made


def reference(
    holes: int, last_hole: int, bands: int, tension: int, strip: str, slack: list[int]
) -> list[int]:
    return sew(tension, strip, slack, 1)


def mistakes(
    holes: int, last_hole: int, bands: int, tension: int, strip: str, slack: list[int]
) -> dict[str, list[int]]:
    return {"skips no letter": sew(tension, strip, slack, 0)}


def generate(random, difficulty):
    holes = [11, 18, 32, 58, 95][difficulty - 1]
    bands = [3, 4, 5, 6, 7][difficulty - 1]
    while True:
        config = {
            "holes": holes,
            "last_hole": holes - 1,
            "bands": bands,
            "tension": 2,
            "strip": "".join(random.choice("rrlttttuuu") for hole in range(holes)),
            "slack": [random.randint(2, 9 + 4 * difficulty) for band in range(bands)],
        }
        right = reference(**config)
        if len(right) > 1 and right not in mistakes(**config).values():
            return config


def solve(tools, holes, last_hole, bands, tension):
    made = []
    needle = 0
    skip = False
    for place in range(holes):
        if skip:
            skip = False
            continue
        letter = tools.read_letter(place=place)
        if letter in ("l", "r"):
            there = needle + (1 if letter == "r" else -1)
            if 0 <= there < bands:
                needle = there
        if letter == "u":
            tension = tension - 1
        if letter == "t":
            skip = tools.is_slack(band=needle, tension=tension)
            if not skip:
                tension = tension + 2
            else:
                made.append(needle)
                loss = tension if tension >= 1 else 1
                try:
                    tools.make_knot(band=needle, millimetres=loss)
                except ValueError:
                    pass
    return made
