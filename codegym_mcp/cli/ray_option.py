"""The option that spreads the work of a command over a Ray cluster."""

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import click

from codegym_mcp.cli.command_output import echo
from codegym_mcp.episode_limits import Limits

if TYPE_CHECKING:
    from codegym_harness.ray_cluster.ray_verification import RayVerification

_JOBS_PER_WORKER = 4
"""Episodes that a worker plays at once. There is a worker for each processor."""

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
    address: str, limits: Limits, jobs: int | None, *, allow_unconfined: bool
) -> AbstractAsyncContextManager["RayVerification"]:
    """Opens the verification and the audit of environments on a Ray cluster; prints its notices to stderr."""
    from codegym_harness.ray_cluster.ray_verification import RayVerification
    from codegym_harness.ray_cluster.verification_worker import VerificationWorkerOptions

    options = VerificationWorkerOptions(
        limits=limits, jobs=jobs or _JOBS_PER_WORKER, allow_unconfined=allow_unconfined
    )
    return RayVerification.start(address, options, on_notice=lambda notice: echo(notice, err=True))
