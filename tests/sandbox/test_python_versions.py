"""What environment code computes is the same in every supported version of Python.

The expected values below hold on all of them; run this file with each version to compare.
"""

import hashlib
import json
from typing import Any

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_limits import Limits
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import GenerateConfig
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

LIMITS = Limits()
COMPUTED = """
import collections, datetime, decimal, fractions, itertools, json, math, random as chance, re, statistics, string

def generate(random, difficulty):
    numbers = [random.uniform(-5, 9) for _ in range(301)]
    text = "".join(random.choices(string.ascii_letters, k=200))
    def error(action):
        try:
            return str(action())
        except Exception as raised:
            return str(raised)
    return {
        "random": [
            random.randint(1, 99), random.randrange(3, 50, 7), random.choice("abc"), random.gauss(0, 1),
            random.normalvariate(0, 1), random.expovariate(2), random.triangular(1, 5, 2),
            random.betavariate(2, 3), random.getrandbits(70), random.sample(range(50), 9),
            chance.random(), chance.Random("text").random(), chance.Random(2.5).random(),
            chance.Random(float("nan")).random(), chance.Random(b"bytes").random(),
        ],
        "sums": [sum(numbers), sum([0.1] * 10), sum(iter(numbers), 1), sum([1, 2, 0.5]), math.fsum(numbers)],
        "math": [math.hypot(*numbers), math.prod(numbers[:9]), math.comb(60, 30), math.cbrt(7), math.gamma(4.5)],
        "statistics": [
            statistics.mean(numbers), statistics.fmean(numbers), statistics.stdev(numbers),
            statistics.pvariance(numbers), statistics.median(numbers),
        ],
        "sets": ["".join(set(text)), list({(1, 2), "zz", 3.5, frozenset("ab")}), [*{*range(0, 900, 37)}]],
        "texts": [
            f"{numbers[0]:.3f} {numbers[1]!r:>30} {text[:5]:^9}", "%5.2f|%-8s|%r" % (numbers[2], text[:3], text[3:5]),
            re.sub("[aeiou]", "*", text), re.findall("[A-F]+", text), json.dumps(numbers[:3], indent=1),
        ],
        "dates": [
            str(datetime.datetime.strptime("2024-02-29 13:45", "%Y-%m-%d %H:%M")),
            datetime.date(2024, 2, 29).strftime("%A %d %B %y %j"), str(datetime.timedelta(hours=30.5)),
            datetime.date.fromisoformat("2024-02-29").isocalendar()[1],
        ],
        "numbers": [
            str(decimal.Decimal(2) / 3), str(fractions.Fraction(1.1).limit_denominator(99)), round(2.675, 2),
            str(2 ** 200), repr(1e22), repr(0.1 + 0.2), int("1" * 400) % 9973,
        ],
        "collections": [
            str(collections.Counter(text).most_common(5)), str(collections.OrderedDict(a=1).keys()) != "",
            list(itertools.pairwise(text[:4])), sorted(text, key=str.lower)[:9],
        ],
        "errors": [
            error(lambda: int("x")), error(lambda: float("x")), error(lambda: [].remove(1)), error(lambda: {}["k"]),
            error(lambda: 1 / 0), error(lambda: json.loads("{")), error(lambda: int("1" * 5000)),
        ],
    }
"""
COMPUTED_DIGEST = "0364033056b7cd70"
GENERATED_DIGESTS = {
    "access_review": "be014d9dc4cbeeb9",
    "address_merge": "d1928a8cb429942a",
    "archive_requests": "73c03b57dd523771",
    "assay_calibration": "49109f2ca2c34e6f",
    "crew_rota": "2c847bd8d251af98",
    "data_migration": "f9a41a64a890f50f",
    "front_office": "fd2db72580012633",
    "greenhouse_control": "f9b5f0d0259aec5a",
    "incident_response": "450ad5bd17d227ea",
    "leak_survey": "537ddb1f92df0298",
    "ledger_audit": "c49413661bfc0657",
    "manuscript_forensics": "988c22af5147e6d8",
    "night_courier": "f8a0ec47d8dc0913",
    "parcel_hunt": "3e36c695305f2295",
    "payment_run": "30301f96b6cd5a94",
    "refund_desk": "6cef2371da2968d5",
    "release_train": "36c6d9792414212a",
    "stable_backports": "44fc13cf3f7f6c65",
    "stock_reconciliation": "87924adb30d5cc41",
    "supplier_negotiation": "ca5695957874296e",
    "tariff_office": "f3a6f0a111dcda7e",
    "ticket_triage": "e0fb7c8d85eae2ce",
    "vault_protocol": "8930a61bcfc3facf",
    "venue_bookings": "5536cc626f182359",
}


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


async def test_what_a_generator_computes_does_not_depend_on_the_version(pool: SandboxPool) -> None:
    program = EnvironmentProgram("computed.py", COMPUTED)
    values = await pool.ask(program, GenerateConfig("1/7", 1), LIMITS)
    assert digest(values) == COMPUTED_DIGEST, json.dumps(values, indent=1)


@pytest.mark.parametrize("name", GENERATED_DIGESTS)
async def test_generated_tasks_of_bundled_environments_do_not_depend_on_the_version(
    name: str, pool: SandboxPool
) -> None:
    environment = Catalog.load(["bundled"])[name]
    configs = [
        await pool.ask(environment.program, GenerateConfig(f"{difficulty}/{seed}", difficulty), LIMITS)
        for difficulty in (1, 3, 5)
        for seed in range(3)
    ]
    assert digest(configs) == GENERATED_DIGESTS[name]
