"""The option that spreads the work of a command over a Ray cluster."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import click

from codegym_mcp.cli.command_output import echo
from codegym_mcp.episode_limits import Limits

if TYPE_CHECKING:
    from codegym_harness.ray_cluster.ray_synthesis import RayExaminer, RayTracing
    from codegym_harness.ray_cluster.ray_verification import RayVerification
    from codegym_mcp.synthesis.synthesis_options import SynthesisOptions

_JOBS_PER_WORKER = 4
"""Episodes that a worker plays at once. There is a worker for each processor."""

_MOST_WORKERS = 1000

ray_option = click.option(
    "--ray",
    "ray_address",
    is_flag=False,
    flag_value="auto",
    metavar="[ADDRESS]",
    help="Work on the nodes of a Ray cluster: the one that this machine belongs to, the one at HOST:PORT, or "
    "one that is started here (local). Files of agents and environments must have the same path on every "
    "node.",
)


def ray_verification(
    address: str, limits: Limits, jobs: int | None, *, most: int = _MOST_WORKERS, allow_unconfined: bool
) -> AbstractAsyncContextManager["RayVerification"]:
    """Opens the verification and the audit of environments on a Ray cluster; prints its notices to stderr."""
    from codegym_harness.ray_cluster.ray_verification import RayVerification
    from codegym_harness.ray_cluster.verification_worker import VerificationWorkerOptions

    options = VerificationWorkerOptions(
        limits=limits, jobs=jobs or _JOBS_PER_WORKER, allow_unconfined=allow_unconfined
    )
    return RayVerification.start(address, options, most=most, on_notice=_print_notice)


def ray_tracing(
    address: str, synthesis: "SynthesisOptions", *, most: int, allow_unconfined: bool
) -> AbstractAsyncContextManager["RayTracing"]:
    """Opens program analysis of problems on a Ray cluster; prints its notices to stderr.

    Args:
        most: problems at once.
    """
    from codegym_harness.ray_cluster.ray_synthesis import RayTracing
    from codegym_harness.ray_cluster.tracing_worker import TracingWorkerOptions

    options = TracingWorkerOptions(
        synthesis=synthesis, jobs=_JOBS_PER_WORKER, allow_unconfined=allow_unconfined
    )
    return RayTracing.start(address, options, most=most, on_notice=_print_notice)


@asynccontextmanager
async def ray_examiner(address: str, *, most: int, allow_unconfined: bool) -> AsyncIterator["RayExaminer"]:
    """Opens the verification and the audit of what a model writes on a Ray cluster.

    Args:
        most: environments at once.
    """
    from codegym_harness.ray_cluster.ray_synthesis import RayExaminer
    from codegym_mcp.synthesis.synthesis_options import TRIAL_LIMITS

    async with ray_verification(
        address, TRIAL_LIMITS, None, most=most, allow_unconfined=allow_unconfined
    ) as verification:
        yield RayExaminer(verification)


def _print_notice(notice: str) -> None:
    echo(notice, err=True)
