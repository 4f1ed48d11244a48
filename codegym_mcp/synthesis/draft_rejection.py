"""That what a model wrote does not do, and who has to mend it."""

from typing import Literal

from codegym_mcp.synthesis.cached_model import Talk
from codegym_mcp.synthesis.funnel import Stage

Part = Literal["environment", "tasks", "oracle", "none"]


class DraftRejectedError(Exception):
    """What was written does not do.

    Attributes:
        part: what has to be mended; "none" where nothing can be.
        talk: in which it was written.
        sample: which answer of the talk it was.
    """

    def __init__(
        self, stage: Stage, part: Part, reason: str, *, written: str, talk: Talk = (), sample: int = 0
    ) -> None:
        super().__init__(reason)
        self.stage = stage
        self.part = part
        self.reason = reason
        self.written = written
        self.talk = talk
        self.sample = sample
