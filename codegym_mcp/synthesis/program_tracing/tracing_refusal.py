"""The error of a problem that tracing cannot turn into an environment."""

from codegym_mcp.synthesis.problem_outcomes import Stage


class RefusedProblemError(Exception):
    """A problem, or one way to lift it, cannot be used. It is a result of the analysis, not a fault.

    Attributes:
        stage: the stage of synthesis at which it was refused.
        reason: why, in a sentence.
    """

    def __init__(self, reason: str, stage: Stage = Stage.ENVIRONMENT) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason
