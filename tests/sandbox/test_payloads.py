"""Confinement against raw Python: each payload names the layers that stop it, and succeeds without them."""

import os
import secrets

import pytest

from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process.process_messages import ComputeReference
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from tests.sandbox.attack_targets import Target
from tests.sandbox.payloads import PAYLOADS
from tests.sandbox.raw_code import LIMITS, NAMESPACES, AttackedPool, AttackedPools, Outcome, Payload, attack

DISABLED_LAYERS = {
    "every layer": frozenset(),
    "no user namespaces": frozenset({Layer.USER_NAMESPACE}),
    "no namespaces": NAMESPACES,
    "no namespaces, no Landlock, no way to give up root": NAMESPACES | {Layer.LANDLOCK, Layer.UNPRIVILEGED},
}
_NOT_IN_THIS_KERNEL = {"ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT", "EOPNOTSUPP", "ENOENT"}


async def run_payload(attacked: AttackedPool, payload: Payload, target: Target) -> Outcome:
    target.restore()
    return await attack(attacked.pool, payload, **target.facts, zygote=attacked.zygote)


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
@pytest.mark.parametrize("situation", DISABLED_LAYERS)
async def test_no_payload_succeeds_in_a_confined_process(
    situation: str, payload: Payload, pools: AttackedPools, target: Target
) -> None:
    attacked = await pools.without(DISABLED_LAYERS[situation])
    outcome = await run_payload(attacked, payload, target)
    assert outcome.met
    assert outcome.escaped is None
    assert await attacked.neighbour_still_works()


async def without(disabled: frozenset[Layer], payload: Payload, pools: AttackedPools) -> AttackedPool:
    if payload.as_root and os.geteuid() != 0:
        pytest.skip("only root has rights to lose")
    attacked = await pools.without(disabled)
    for layer in payload.contained:
        if not attacked.pool.layers[layer].active:
            pytest.skip(f"would do harm without {layer}, which this system refuses")
    return attacked


@pytest.mark.parametrize("payload", sorted(PAYLOADS, key=lambda each: (each.stopped_by, each.aside)), ids=str)
async def test_without_its_layers_the_payload_succeeds(
    payload: Payload, pools: AttackedPools, target: Target
) -> None:
    attacked = await without(frozenset(payload.stopped_by + payload.aside), payload, pools)
    outcome = await run_payload(attacked, payload, target)
    if outcome.met in _NOT_IN_THIS_KERNEL:
        pytest.skip(f"this kernel does not offer it: {outcome.met}")
    assert outcome.escaped, outcome


ALONE = sorted(
    (
        (frozenset({*payload.stopped_by, *payload.aside} - {layer}), layer, payload)
        for payload in PAYLOADS
        for layer in payload.stopped_by
    ),
    key=lambda each: sorted(each[0]),
)


@pytest.mark.parametrize(
    ("others", "layer", "payload"), ALONE, ids=[f"{layer}-{payload}" for _, layer, payload in ALONE]
)
async def test_each_layer_stops_the_payload_without_the_others(
    others: frozenset[Layer], layer: Layer, payload: Payload, pools: AttackedPools, target: Target
) -> None:
    attacked = await without(others, payload, pools)
    if not attacked.pool.layers[layer].active:
        pytest.skip(f"this system refuses it: {attacked.pool.layers[layer].detail}")
    outcome = await run_payload(attacked, payload, target)
    assert outcome.met
    assert outcome.escaped is None


SCAN = """
seen, waiting, found = set(), [gc.get_objects(), sys.modules, sys._getframe()], []
while waiting:
    item = waiting.pop()
    if id(item) in seen:
        continue
    seen.add(id(item))
    if isinstance(item, str) and item.startswith("canary") and len(item) > 20:
        found.append(item)
    waiting.extend(gc.get_referents(item))
return found
"""
REFERENCE = """
class Environment:
    def __init__(self, hidden: str):
        self.hidden = hidden

def reference(hidden):
    return "canary, " + hidden
"""


async def test_the_memory_of_the_tools_does_not_contain_the_reference_answer(pools: AttackedPools) -> None:
    attacked = await pools.without(())
    hidden = secrets.token_hex(16)
    answer = await attacked.pool.ask(
        EnvironmentProgram("reference.py", REFERENCE), ComputeReference({"hidden": hidden}), LIMITS
    )
    assert answer == f"canary, {hidden}"
    outcome = await attack(attacked.pool, Payload("scan", SCAN, ()))
    assert outcome == Outcome(met="it found nothing")


async def test_the_memory_scan_finds_a_value_that_exists(pools: AttackedPools) -> None:
    attacked = await pools.without(())
    hidden = f"canary, {secrets.token_hex(16)}"
    outcome = await attack(attacked.pool, Payload("scan", SCAN, ()), hidden=hidden)
    assert outcome.escaped
    assert set(outcome.escaped) == {hidden}
