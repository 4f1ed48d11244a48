"""Determine the concentrations of water samples with an old lamp photometer. The samples are {samples}.

The concentration in a bottle is a whole number of units between 1 and 640. The photometer shows whole counts:

    counts = baseline + gain * concentration / dilution, the fraction rounded down

The baseline is an offset, plus a drift for each run already made on the same lamp: the first run has
baseline offset, the second offset + drift, the third offset + 2 * drift, and so on. Every run counts, of
whatever kind. Each lamp has figures of its own, which stay the same as long as it lasts: a gain of 2 to 12
counts per unit, an offset of 40 to 160 counts and a drift of 15 to 60 counts, all of them whole numbers.

A blank contains nothing. The standard contains {standard} units, undiluted. A sample is run at a dilution
of 1, 2, 5 or 10. If a run would take the counts above {full_scale}, nothing is shown and the lamp is dead for
good. A paper test strip shows between which bounds a concentration lies. Strips cost no run.

You have {lamps} lamps, none of them struck yet, and reagent for {reagent} runs. Striking a lamp throws
the previous one away.
{campaign}
Answer with a dictionary from the name of each sample to its concentration in units.
"""

from datetime import date, timedelta
from itertools import count
from typing import Literal, TypedDict

META = {
    "title": "Assay calibration",
    "tags": ["measurement", "planning"],
    "public": ["samples", "standard", "full_scale", "lamps", "reagent", "campaign"],
    "license": "MIT",
    "source": "original",
}

CAMPAIGN = """
The bottles come from a field campaign:
- The crew topped some bottles up with acid, which made the water weaker by a factor. What is asked for is the
  concentration before that: the one in the bottle times the factor.
- The label of a bottle states the factor, and so may entries in the field book. The statement with the latest
  date counts.
- A sample whose bottle has a broken seal is not reported. Its answer is -1.
- A lamp may flicker. A run during which it flickers shows no counts, and the lamp stays lit. It is a run like
  any other.
"""
DILUTIONS = [1, 2, 5, 10]
STRIP_STEP = 40
PAGE = 6


class Lamp(TypedDict):
    offset: int
    drift: int
    gain: int
    flickers: list[int]


class Label(TypedDict):
    date: str
    factor: int
    seal: Literal["whole", "broken"]


class Entry(TypedDict):
    date: str
    sample: str
    factor: int


class Config(TypedDict):
    samples: list[str]
    standard: int
    full_scale: int
    lamps: int
    reagent: int
    campaign: str
    concentrations: list[int]
    labels: list[Label]
    field_book: list[Entry]
    lamp_box: list[Lamp]


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


class Page(TypedDict):
    entries: list[Entry]
    next_cursor: int | None


class Environment:
    def __init__(self, config: Config):
        self.contents = dict(zip(config["samples"], config["concentrations"]))
        self.labels = dict(zip(config["samples"], config["labels"]))
        self.field_book = config["field_book"]
        self.standard = config["standard"]
        self.full_scale = config["full_scale"]
        self.box = list(config["lamp_box"])
        self.lamp = None
        self.runs = 0
        self.reagent = config["reagent"]

    def read_label(self, sample: str) -> Label:
        """Read the label of the bottle of a sample, and see whether its seal is whole.

        Args:
            sample: name of the sample.
        """
        check_sample(self.labels, sample)
        return self.labels[sample]

    def read_field_book(self, cursor: int) -> Page:
        """Read the entries of the field book about bottles, a page at a time.

        Args:
            cursor: 0 for the first page, then the next cursor of the page before.
        """
        if not 0 <= cursor <= len(self.field_book) or cursor % PAGE:
            raise ValueError("cursor must be 0 or the next cursor of a page")
        following = cursor + PAGE if cursor + PAGE < len(self.field_book) else None
        return {"entries": self.field_book[cursor : cursor + PAGE], "next_cursor": following}

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


def check_sample(samples, sample):
    if sample not in samples:
        raise ValueError(f"no such sample; the samples are {', '.join(samples)}")


def run(instrument, units, dilution):
    if instrument.lamp is None:
        raise ValueError("no lamp is lit: strike one first")
    if instrument.reagent == 0:
        raise ValueError("the reagent is used up")
    counts = counts_of(instrument.lamp, instrument.runs, units, dilution)
    shown = counts <= instrument.full_scale and instrument.runs not in instrument.lamp["flickers"]
    if counts > instrument.full_scale:
        instrument.lamp = None
    instrument.runs += 1
    instrument.reagent -= 1
    lit = instrument.lamp is not None
    return {"counts": counts if shown else None, "lamp_lit": lit, "reagent_left": instrument.reagent}


def counts_of(lamp: Lamp, earlier_runs: int, units: int, dilution: int) -> int:
    return lamp["offset"] + lamp["drift"] * earlier_runs + lamp["gain"] * units // dilution


def strip_top(units):
    """The upper end of the strip colour that this many units give."""
    return -(-units // STRIP_STEP) * STRIP_STEP


def best_dilution(gain):
    """The greatest dilution at which neighbouring concentrations show different counts."""
    return max(dilution for dilution in DILUTIONS if dilution <= gain)


def least_units(counts, baseline, gain, dilution):
    """The least concentration that shows so many counts, or the only one if dilution <= gain."""
    return -(-(counts - baseline) * dilution // gain)


class Series(TypedDict):
    units: dict[str, int]
    lamps: int
    runs: int


def measure(config: Config, forget: str = "") -> Series | None:
    """Measures the whole bottles, the strongest that fits first; None if the lamps do not suffice.

    If a rule is named, the measurements are evaluated without it.
    """
    contents = dict(zip(config["samples"], config["concentrations"]))
    whole = [name for name, label in zip(contents, config["labels"]) if label["seal"] == "whole"]
    waiting = sorted(whole, key=lambda name: -strip_top(contents[name]))
    series = {"units": {}, "lamps": 0, "runs": 0}
    figures = None
    for lamp in config["lamp_box"]:
        if not waiting:
            break
        if figures is None or forget != "keeps the figures of the first lamp":
            figures = calibrate(lamp, config["standard"], forget)
        dilution = best_dilution(lamp["gain"])
        earlier = shown_runs(lamp, 3)[-1] + 1
        while True:
            fitting = [
                name
                for name in waiting
                if counts_of(lamp, earlier, strip_top(contents[name]), dilution) <= config["full_scale"]
            ]
            if not fitting:
                break
            if earlier not in lamp["flickers"]:
                counts = counts_of(lamp, earlier, contents[fitting[0]], dilution)
                baseline = figures["offset"] + figures["drift"] * numbered(lamp, earlier, forget)
                if forget == "takes the counts as not rounded":
                    found = (counts - baseline) * dilution // figures["gain"]
                else:
                    found = least_units(counts, baseline, figures["gain"], dilution)
                series["units"][fitting[0]] = found
                waiting.remove(fitting[0])
            earlier += 1
        series["lamps"] += 1
        series["runs"] += earlier
    return None if waiting else series


def shown_runs(lamp: Lamp, wanted: int) -> list[int]:
    """The first runs on a lamp that show counts, numbered from 0."""
    numbers = count()
    shown = []
    while len(shown) < wanted:
        number = next(numbers)
        if number not in lamp["flickers"]:
            shown.append(number)
    return shown


def numbered(lamp: Lamp, run: int, forget: str) -> int:
    missed = [each for each in lamp["flickers"] if each < run]
    return run - len(missed) if forget == "does not count runs that flicker" else run


def calibrate(lamp: Lamp, standard: int, forget: str) -> Lamp:
    """The figures of a lamp that follow from two blanks and the standard."""
    first, second, third = shown_runs(lamp, 3)
    blank, later_blank = counts_of(lamp, first, 0, 1), counts_of(lamp, second, 0, 1)
    drift = 0
    if forget != "leaves the drift out":
        between = numbered(lamp, second, forget) - numbered(lamp, first, forget)
        drift = (later_blank - blank) // between
    offset = blank - drift * numbered(lamp, first, forget)
    baseline = offset + drift * numbered(lamp, third, forget)
    gain = max(1, (counts_of(lamp, third, standard, 1) - baseline) // standard)
    return {"offset": offset, "drift": drift, "gain": gain, "flickers": []}


def report(config: Config, units: dict[str, int], forget: str = "") -> dict[str, int]:
    """The answer, from the concentrations in the bottles."""
    answer = {}
    for sample, label in zip(config["samples"], config["labels"]):
        noted = [entry for entry in config["field_book"] if entry["sample"] == sample]
        statements = [label, *noted]
        if forget == "trusts the label":
            statements = [label]
        elif forget == "trusts the field book" and noted:
            statements = noted
        factor = max(statements, key=lambda statement: statement["date"])["factor"]
        if forget == "reports what is in the bottle":
            factor = 1
        answer[sample] = units[sample] * factor
        if label["seal"] == "broken" and forget != "reports bottles with a broken seal":
            answer[sample] = -1
    return answer


def reference(config: Config) -> dict[str, int]:
    return report(config, dict(zip(config["samples"], config["concentrations"])))


MEASURING = ["leaves the drift out", "keeps the figures of the first lamp", "takes the counts as not rounded"]
REPORTING = [
    "reports what is in the bottle",
    "trusts the label",
    "trusts the field book",
    "reports bottles with a broken seal",
]


def mistakes(config: Config) -> dict[str, dict[str, int]]:
    contents = dict(zip(config["samples"], config["concentrations"]))
    measuring, reporting = list(MEASURING), []
    if config["campaign"]:
        measuring.append("does not count runs that flicker")
        reporting = REPORTING
    found = {name: report(config, contents | measure(config, name)["units"]) for name in measuring}
    return found | {name: report(config, contents, name) for name in reporting}


def solve(tools, samples, standard, full_scale, lamps, reagent, campaign):
    statements = {sample: [] for sample in samples}
    whole = list(samples)
    if campaign:
        labels = {sample: tools.read_label(sample=sample) for sample in samples}
        whole = [sample for sample in samples if labels[sample]["seal"] == "whole"]
        statements = {sample: [labels[sample]] for sample in samples}
        cursor = 0
        while cursor is not None:
            page = tools.read_field_book(cursor=cursor)
            for entry in page["entries"]:
                statements.get(entry["sample"], []).append(entry)
            cursor = page["next_cursor"]

    bounds = {sample: tools.dip_strip(sample=sample)["at_most"] for sample in whole}
    waiting = sorted(whole, key=lambda sample: -bounds[sample])
    answer = dict.fromkeys(samples, -1)
    while waiting:
        tools.strike_lamp()
        first, blank = first_shown(tools.run_blank, 0)
        second, later_blank = first_shown(tools.run_blank, first + 1)
        third, counts = first_shown(tools.run_standard, second + 1)
        drift = (later_blank - blank) // (second - first)
        offset = blank - drift * first
        gain = (counts - offset - drift * third) // standard
        dilution = best_dilution(gain)
        made = third + 1
        while True:
            baseline = offset + drift * made
            fitting = [name for name in waiting if baseline + gain * bounds[name] // dilution <= full_scale]
            if not fitting:
                break
            counts = tools.run_sample(sample=fitting[0], dilution=dilution)["counts"]
            made += 1
            if counts is not None:
                units = least_units(counts, baseline, gain, dilution)
                dated = sorted(statements[fitting[0]], key=lambda statement: statement["date"])
                answer[fitting[0]] = units * (dated[-1]["factor"] if dated else 1)
                waiting.remove(fitting[0])
    return answer


def first_shown(tool, earlier_runs):
    """Repeats a run until it shows counts: how many runs were made before that one, and the counts."""
    while True:
        counts = tool()["counts"]
        if counts is not None:
            return earlier_runs, counts
        earlier_runs += 1


def draw_lamp(random, flickers: bool) -> Lamp:
    return {
        "offset": random.randint(40, 160),
        "drift": random.randint(15, 60),
        "gain": random.randint(2, 12),
        "flickers": sorted(random.sample(range(12), random.randint(0, 3))) if flickers else [],
    }


def draw_statements(random, samples: list[str], others: list[str]) -> tuple[list[Label], list[Entry]]:
    """Labels of the samples, and a field book that also tells of other bottles."""
    labels, field_book = [], []
    for sample in samples + others:
        days = random.sample(range(60), random.randint(1, 3))
        dates = [(date(2026, 4, 1) + timedelta(days=day)).isoformat() for day in days]
        if sample in samples:
            seal = "broken" if random.random() < 0.2 else "whole"
            labels.append({"date": dates.pop(), "factor": random.randint(1, 4), "seal": seal})
        field_book += [{"date": day, "sample": sample, "factor": random.randint(1, 4)} for day in dates]
    return labels, sorted(field_book, key=lambda entry: (entry["date"], entry["sample"]))


def generate(random, difficulty: int) -> Config:
    bottles = (3, 6, 9, 14, 20)[difficulty - 1]
    fewest, most = ((1, 1), (2, 3), (2, 4), (3, 5), (4, 7))[difficulty - 1]
    while True:
        letter = random.choice("BDFKMRTW")
        names = [f"{letter}{number}" for number in random.sample(range(10, 100), bottles + 4)]
        samples, others = names[:bottles], names[bottles:]
        labels = [{"date": "2026-04-01", "factor": 1, "seal": "whole"} for sample in samples]
        field_book = []
        if difficulty > 3:
            labels, field_book = draw_statements(random, samples, others)
        config = {
            "samples": samples,
            "standard": 20,
            "full_scale": 1000,
            "lamps": 0,
            "reagent": 0,
            "campaign": CAMPAIGN if difficulty > 3 else "",
            "concentrations": [random.randint(1, 640) for sample in samples],
            "labels": labels,
            "field_book": field_book,
            "lamp_box": [draw_lamp(random, difficulty > 3) for lamp in range(most)],
        }
        series = measure(config)
        if series is None or series["lamps"] < fewest:
            continue
        config["lamp_box"] = config["lamp_box"][: series["lamps"]] + [draw_lamp(random, difficulty > 3)]
        config["lamps"] = len(config["lamp_box"])
        config["reagent"] = series["runs"] + 4
        right = reference(config)
        if difficulty == 1 or all(wrong != right for wrong in mistakes(config).values()):
            return config
