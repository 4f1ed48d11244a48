"""Finds out what protects this machine from environments, by running one as the server would."""

import asyncio
import platform
import time
from collections.abc import Collection, Mapping

from pydantic import BaseModel

from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, LimitError, SandboxError
from codegym_mcp.sandbox.confinement.confinement_layers import ESSENTIAL, PURPOSE, Layer, LayerState
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ServeTools
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

_ENVIRONMENT = """
class Environment:
    def __init__(self):
        pass

    def answer(self):
        return 42

    def loop(self):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass
"""
_LOOP_SECONDS = 0.2


class LayerReport(BaseModel):
    """One layer of confinement."""

    name: Layer
    active: bool
    essential: bool
    """Whether environments that are not bundled are refused without it."""
    purpose: str
    """What it prevents or ensures while it is active."""
    detail: str = ""
    """The reason why it is not active; details of an active one."""


class Check(BaseModel):
    """A check with an environment in a confined process."""

    name: str
    passed: bool
    detail: str


class DoctorReport(BaseModel):
    """What `codegym-mcp doctor` finds."""

    system: str
    python: str
    confined: bool
    """Whether every essential layer is active, so that all environments run without further options."""
    layers: list[LayerReport]
    """All layers; empty if no process could be started."""
    checks: list[Check]

    @property
    def healthy(self) -> bool:
        """Whether environments are confined and every check passed."""
        return self.confined and all(check.passed for check in self.checks)


async def examine(*, _disabled: Collection[Layer] = ()) -> DoctorReport:
    """Starts a zygote and confined processes as the server would, and reports what works.

    Args:
        _disabled: layers to leave out; only tests do this.

    Returns:
        The report, which also contains what failed.
    """
    layers: Mapping[Layer, LayerState] = {}
    try:
        async with SandboxPool.open(allow_unconfined=True, _disabled=_disabled) as pool:
            layers = pool.layers
            checks = [await _check_answer(pool), await _check_loop(pool)]
    except SandboxError as error:
        checks = [Check(name="start", passed=False, detail=str(error))]
    return DoctorReport(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        confined=bool(layers) and all(layers[layer].active for layer in ESSENTIAL),
        layers=[
            LayerReport(
                name=layer,
                active=layers[layer].active,
                essential=layer in ESSENTIAL,
                purpose=PURPOSE[layer],
                detail=layers[layer].detail,
            )
            for layer in Layer
            if layer in layers
        ],
        checks=checks,
    )


async def _check_answer(pool: SandboxPool) -> Check:
    name = "an environment answers"
    began = time.perf_counter()
    try:
        await _call(pool, "answer", seconds=5)
    except CodegymError as error:
        return Check(name=name, passed=False, detail=str(error))
    return Check(name=name, passed=True, detail=f"after {1000 * (time.perf_counter() - began):.0f} ms")


async def _check_loop(pool: SandboxPool) -> Check:
    name = "an endless loop is ended"
    began = time.perf_counter()
    try:
        await _call(pool, "loop", seconds=_LOOP_SECONDS)
    except LimitError:
        late = 1000 * (time.perf_counter() - began - _LOOP_SECONDS)
        return Check(name=name, passed=True, detail=f"{late:.0f} ms after its deadline, starting included")
    except CodegymError as error:
        return Check(name=name, passed=False, detail=str(error))
    return Check(name=name, passed=False, detail="it returned")


async def _call(pool: SandboxPool, name: str, *, seconds: float) -> None:
    """Opens the environment, calls one tool, and waits until the process has ended."""
    limits = Limits()
    worker = await pool.start(EnvironmentProgram("<doctor>", _ENVIRONMENT), ServeTools({}), limits)
    try:
        await worker.result(seconds=limits.start_seconds)
        await worker.call(name, {}, seconds=seconds)
    finally:
        worker.kill()
        async with asyncio.timeout(limits.start_seconds):
            await worker.ended()


def render(report: DoctorReport) -> str:
    """Returns a report as text for a terminal, without a final line break."""
    width = max((len(layer.name) for layer in report.layers), default=0)
    lines = [f"{report.system}, Python {report.python}", ""]
    for layer in report.layers:
        mark = "on " if layer.active else "OFF"
        text = layer.purpose if layer.active else f"{layer.detail} (purpose: {layer.purpose})"
        lines.append(f"{mark}  {layer.name:<{width}}  {text}")
    lines.append("")
    lines += [f"{'ok ' if check.passed else 'BAD'}  {check.name}: {check.detail}" for check in report.checks]
    return "\n".join([*lines, "", _conclusion(report)])


def _conclusion(report: DoctorReport) -> str:
    if not report.layers:
        return "Environments cannot run here."
    if not report.confined:
        missing = ", ".join(layer.name for layer in report.layers if layer.essential and not layer.active)
        return (
            f"Environments would not be confined here ({missing} is missing). Only the bundled environments "
            "run, without protection. If you trust other environments, run them with --allow-unconfined."
        )
    if not report.healthy:
        return "Environments are confined here, but a check failed."
    if not all(layer.active for layer in report.layers):
        return "Environments are confined here, by the layers that are on."
    return "Environments are confined here, by every layer."
