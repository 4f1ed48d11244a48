"""Determine the concentration of every one of these water samples with an old lamp photometer: {samples}.

Every concentration is a whole number of units between 1 and 640. The photometer shows whole counts:

    counts = baseline + gain * concentration / dilution, the fraction rounded down

The gain is a whole number of counts per unit between 2 and 12. The baseline is an offset, plus a drift
for each run already made on the same lamp: the first run has baseline offset, the second offset + drift,
the third offset + 2 * drift, and so on. Every run counts, of whatever kind. Gain, offset and drift are
whole numbers that stay the same as long as a lamp lasts, but nobody knows them, and each lamp has its own.

A blank contains nothing. The standard contains {standard} units, undiluted. A sample is run at a dilution
of 1, 2, 5 or 10. No run may take the counts above {full_scale}: if it would, nothing is shown and the
lamp is dead for good. On a fresh lamp, two blanks and the standard are always safe. The drift only ever
goes up, so the room above the baseline shrinks with each run. A dilution greater than the gain can no
longer tell neighbouring concentrations apart.

A paper test strip shows between which bounds a concentration lies. Strips are plentiful and cost no run.

You have {lamps} lamps, none of them struck yet, and reagent for {reagent} runs. Striking a lamp throws
the previous one away.

Answer with a dictionary from the name of each sample to its concentration in units.
"""

from typing import TypedDict

META = {
    "title": "Assay calibration",
    "tags": ["measurement", "planning"],
    "public": ["samples", "standard", "full_scale", "lamps", "reagent"],
    "license": "MIT",
    "source": "original",
}

DILUTIONS = [1, 2, 5, 10]
STRIP_STEP = 40


class Lamp(TypedDict):
    offset: int
    drift: int
    gain: int


class Struck(TypedDict):
    lamps_left: int
    reagent_left: int


class Run(TypedDict):
    counts: int | None
    lamp_lit: bool
    reagent_left: int


class Strip(TypedDict):
    at_least: int
    at_most: int


def strip_top(units):
    """The upper end of the strip colour that this many units give."""
    return -(-units // STRIP_STEP) * STRIP_STEP


def best_dilution(gain):
    return max(dilution for dilution in DILUTIONS if dilution <= gain)


class Environment:
    def __init__(
        self,
        samples: list[str],
        standard: int,
        full_scale: int,
        lamps: int,
        reagent: int,
        concentrations: list[int],
        lamp_box: list[Lamp],
    ):
        self.contents = dict(zip(samples, concentrations))
        self.standard = standard
        self.full_scale = full_scale
        self.box = list(lamp_box)
        self.lamp = None
        self.runs = 0
        self.reagent = reagent

    def strike_lamp(self) -> Struck:
        """Throw away the present lamp, if there is one, and strike a fresh one."""
        if not self.box:
            raise ValueError("there is no lamp left in the box")
        self.lamp = self.box.pop(0)
        self.runs = 0
        return {"lamps_left": len(self.box), "reagent_left": self.reagent}

    def run_blank(self) -> Run:
        """Run a blank, which contains nothing."""
        return run(self, 0, 1)

    def run_standard(self) -> Run:
        """Run the standard, undiluted."""
        return run(self, self.standard, 1)

    def dip_strip(self, sample: str) -> Strip:
        """Dip a test strip into a sample to see between which bounds its concentration lies.

        Args:
            sample: name of the sample.
        """
        check_sample(self.contents, sample)
        top = strip_top(self.contents[sample])
        return {"at_least": top - STRIP_STEP + 1, "at_most": top}

    def run_sample(self, sample: str, dilution: int) -> Run:
        """Run a sample at a dilution.

        Args:
            sample: name of the sample.
            dilution: how many times the sample is diluted: 1, 2, 5 or 10.
        """
        check_sample(self.contents, sample)
        if dilution not in DILUTIONS:
            raise ValueError("dilution must be 1, 2, 5 or 10")
        return run(self, self.contents[sample], dilution)


def check_sample(contents, sample):
    if sample not in contents:
        raise ValueError(f"no such sample; the samples are {', '.join(contents)}")


def run(instrument, units, dilution):
    if instrument.lamp is None:
        raise ValueError("no lamp is lit: strike one first")
    if instrument.reagent == 0:
        raise ValueError("the reagent is used up")
    lamp = instrument.lamp
    counts = lamp["offset"] + lamp["drift"] * instrument.runs + lamp["gain"] * units // dilution
    instrument.runs += 1
    instrument.reagent -= 1
    if counts > instrument.full_scale:
        instrument.lamp = None
        return {"counts": None, "lamp_lit": False, "reagent_left": instrument.reagent}
    return {"counts": counts, "lamp_lit": True, "reagent_left": instrument.reagent}


def reference(
    samples: list[str],
    standard: int,
    full_scale: int,
    lamps: int,
    reagent: int,
    concentrations: list[int],
    lamp_box: list[Lamp],
) -> dict[str, int]:
    return dict(zip(samples, concentrations))


def solve(tools, samples, standard, full_scale, lamps, reagent):
    bounds = {sample: tools.dip_strip(sample=sample)["at_most"] for sample in samples}
    waiting = sorted(samples, key=lambda sample: -bounds[sample])
    found = {}
    while waiting:
        tools.strike_lamp()
        offset = tools.run_blank()["counts"]
        drift = tools.run_blank()["counts"] - offset
        baseline = offset + 2 * drift
        gain = (tools.run_standard()["counts"] - baseline) // standard
        dilution = best_dilution(gain)
        while True:
            baseline += drift
            fitting = [name for name in waiting if baseline + gain * bounds[name] // dilution <= full_scale]
            if not fitting:
                break
            counts = tools.run_sample(sample=fitting[0], dilution=dilution)["counts"]
            # The least concentration that shows so many counts; as dilution <= gain, it is the only one.
            found[fitting[0]] = -(-(counts - baseline) * dilution // gain)
            waiting.remove(fitting[0])
    return found


def lamps_needed(bounds, full_scale, lamp_box):
    """How many lamps it takes to run the strongest fitting sample each time; None if they do not suffice."""
    waiting = sorted(bounds, reverse=True)
    for used, lamp in enumerate(lamp_box, start=1):
        baseline = lamp["offset"] + 3 * lamp["drift"]
        dilution = best_dilution(lamp["gain"])
        while fitting := [top for top in waiting if baseline + lamp["gain"] * top // dilution <= full_scale]:
            waiting.remove(fitting[0])
            baseline += lamp["drift"]
        if not waiting:
            return used
    return None


def new_lamp(random):
    return {"offset": random.randint(40, 160), "drift": random.randint(15, 60), "gain": random.randint(2, 12)}


def generate(random, difficulty: int) -> dict:
    count = [3, 5, 8, 12, 18][difficulty - 1]
    fewest, most = [(1, 1), (1, 2), (2, 3), (3, 4), (5, 6)][difficulty - 1]
    full_scale = 1000
    while True:
        concentrations = [random.randint(1, 640) for index in range(count)]
        lamp_box = [new_lamp(random) for index in range(most)]
        used = lamps_needed([strip_top(units) for units in concentrations], full_scale, lamp_box)
        if used is not None and used >= fewest:
            break
    letter = random.choice("BDFKMRTW")
    return {
        "samples": [f"{letter}{number}" for number in random.sample(range(10, 100), count)],
        "standard": 20,
        "full_scale": full_scale,
        "lamps": used + 1,
        "reagent": count + 3 * used + 6,
        "concentrations": concentrations,
        "lamp_box": lamp_box[:used] + [new_lamp(random)],
    }
