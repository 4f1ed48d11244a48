"""What the viewer's page shows of runs and episodes. Both sources of the page send these models as JSON."""

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import to_json

EXCERPT_CHARACTERS = 4_000
"""The maximum length of a text that is sent with its episode; the page requests the rest of it."""
SLICE_CHARACTERS = 250_000
"""The maximum length of one requested part of a text."""
STEPS_PER_REQUEST = 300


class TextSlice(BaseModel):
    """A part of a text."""

    text: str
    length: int
    """The number of characters of the whole text."""
    next_offset: int | None
    """The offset of the following part in characters, or None after the last one."""

    @classmethod
    def of(cls, text: str, offset: int = 0, *, characters: int = SLICE_CHARACTERS) -> Self:
        """Returns the part of a text that begins at an offset."""
        end = offset + characters
        if end < len(text):
            # The page lays out every part as a block of its own.
            end = text.rfind("\n", offset + characters // 2, end) + 1 or end
        return cls(text=text[offset:end], length=len(text), next_offset=end if end < len(text) else None)


class Excerpt(TextSlice):
    """The beginning of a text, or all of it if it is short."""

    @classmethod
    def of(cls, text: str, offset: int = 0, *, characters: int = EXCERPT_CHARACTERS) -> Self:
        return super().of(text, offset, characters=characters)

    @classmethod
    def optional(cls, text: str | None) -> Self | None:
        """Returns the beginning of a text, or None if it is empty."""
        return cls.of(text) if text else None


class TextPart(StrEnum):
    """The texts of a step, of its calls, and of the episode as a whole."""

    MESSAGE = "message"
    REASONING = "reasoning"
    ARGUMENTS = "arguments"
    RESULT = "result"
    ERROR = "error"
    SUBMITTED = "submitted"
    FINAL_STATE = "final_state"
    STDOUT = "stdout"
    STDERR = "stderr"
    LINE = "line"
    """The line of the file as it was read, if it is damaged."""


class RunView(BaseModel):
    """A run in the list of runs."""

    id: str
    name: str
    agent: str
    state: str
    """The state in words, for example "in progress"."""
    live: bool
    """Whether further episodes are expected."""
    at: str = ""
    """When it started: ISO 8601 in UTC, or the empty string if it is unknown."""
    episodes: int = 0
    expected: int = 0
    """The number of episodes of the whole run; 0 if it is unknown."""
    solved: int = 0
    """Episodes whose answer is right."""
    unsolved: int = 0
    """Episodes with a wrong answer, or with none."""
    failed: int = 0
    """Episodes that failed without the agent's fault."""
    reward: float | None = None
    """The mean reward, 0 to 1."""
    problem: str = ""
    version: str = ""
    """The version of the program that wrote the run."""


class EpisodeRow(BaseModel):
    """An episode in a list."""

    id: str
    environment: str
    task: str
    epoch: int = 1
    difficulty: int | None = None
    tags: list[str] = []
    agent: str = ""
    outcome: str
    reward: float | None = None
    ended: str = ""
    """How the episode ended: a state, a limit, or why the agent stopped."""
    calls: int = 0
    oracle_calls: int | None = None
    failed_calls: int = 0
    """Calls whose result is an error: refused, invalid, over a limit."""
    invalid_calls: int = 0
    steps: int = 0
    tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    at: str = ""
    error: str = ""
    superseded: bool = False
    """Whether the episode failed and was played again later."""


class SortField(StrEnum):
    """The columns by which episodes can be sorted."""

    RECORDED = "recorded"
    ENVIRONMENT = "environment"
    OUTCOME = "outcome"
    REWARD = "reward"
    DIFFICULTY = "difficulty"
    CALLS = "calls"
    FAILED_CALLS = "failed_calls"
    STEPS = "steps"
    TOKENS = "tokens"
    SECONDS = "seconds"


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RunQuery(_Query):
    """The query parameters of a request about one run."""

    run: str


class EpisodeListQuery(_Query):
    """The query parameters of a list of episodes. Several values of one filter are alternatives."""

    run: str
    environment: list[str] = []
    outcome: list[str] = []
    difficulty: list[int] = []
    tag: list[str] = []
    agent: list[str] = []
    ended: list[str] = []
    min_reward: float | None = None
    max_reward: float | None = None
    failures: bool = False
    """Only episodes that were not solved."""
    superseded: bool = False
    """Also failed episodes that were played again later."""
    search: str = Field(default="", max_length=1000)
    """Words that the texts of the episode contain."""
    sort: SortField | None = None
    """None for the order that suits the source: by name, or the newest first."""
    descending: bool = False
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=100, ge=1, le=1000)


class ReadProgress(BaseModel):
    """How far a run has been read."""

    read_bytes: int = 0
    total_bytes: int = 0
    live: bool = False
    """Whether further episodes are expected."""
    version: int = 0
    """Changes with every change of the list."""
    problems: list[str] = []
    """What is wrong with the files of the run."""
    note: str = ""


class EpisodeList(BaseModel):
    """A part of a list of episodes."""

    rows: list[EpisodeRow]
    total: int
    """The number of episodes that pass the filters."""
    sort: SortField
    """The column by which the episodes are sorted."""
    progress: ReadProgress
    run: RunView


class FacetValue(BaseModel):
    """A value that a filter can select, and the number of episodes that have it."""

    value: str
    count: int


class Facets(BaseModel):
    """The values of the filters."""

    environment: list[FacetValue] = []
    outcome: list[FacetValue] = []
    difficulty: list[FacetValue] = []
    tag: list[FacetValue] = []
    agent: list[FacetValue] = []
    ended: list[FacetValue] = []
    searchable: bool = True
    """Whether the texts can be searched."""


class CallView(BaseModel):
    """A tool call with its result."""

    name: str
    arguments: Excerpt
    """JSON, or what the model wrote if that is not a JSON object."""
    invalid: str = ""
    """Why the call reached no tool, or the empty string."""
    result: Excerpt | None = None
    """None if the episode ended during the call, or the call is in progress."""
    status: str = ""
    """The status of the call, or the empty string if the record does not state it."""
    is_error: bool = False
    by_agent: bool = False
    """Whether the agent's own loop wrote the result, for a call that it did not send."""
    seconds: float | None = None
    reason: str = ""
    """What went wrong, for people; the agent did not see it."""
    answer_correct: bool | None = None
    """Whether the answer that the call submitted is right; None for other calls, and if it was not judged."""


class StepView(BaseModel):
    """One message, or one turn of the agent with its calls."""

    number: int
    source: str
    """"user", "agent" or "system"."""
    at: str = ""
    model: str = ""
    message: Excerpt | None = None
    reasoning: Excerpt | None = None
    calls: list[CallView] = []
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    finish_reason: str = ""
    failed_attempts: list[str] = []
    """Requests to the model that failed and were sent again."""
    request_changes: list[str] = []
    failure: bool = False
    """Whether a call of the step was refused or failed."""

    @model_validator(mode="after")
    def _note_failure(self) -> Self:
        self.failure = any(call.is_error or call.invalid for call in self.calls)
        return self


class EpisodeView(BaseModel):
    """One episode: what is known of it as a whole, and a part of its steps."""

    run: str
    run_name: str
    row: EpisodeRow
    live: bool = False
    """Whether further steps are expected."""
    seed: int | None = None
    max_calls: int | None = None
    state: str = ""
    stop: str = ""
    limits_met: list[str] = []
    repeated_calls: int | None = None
    submitted: Excerpt | None = None
    """The arguments of the submission, or None if nothing was submitted."""
    overlap: float | None = None
    """How much of the answer agrees with the reference answer, 0 to 1; None if that cannot be measured."""
    fault: str = ""
    """Which side caused the error: "harness", "provider" or "agent"."""
    final_state: Excerpt | None = None
    """The final state of the environment as JSON, which the agent did not see; None if it is not known."""
    error: Excerpt | None = None
    stdout: Excerpt | None = None
    stderr: Excerpt | None = None
    exit_code: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    problems: list[str] = []
    """What is wrong with the record."""
    line: Excerpt | None = None
    """The line of the file, if no episode can be read from it."""
    steps: list[StepView] = []
    next_step: int | None = None
    """The position of the first step that was not sent, or None after the last one."""
    failures: list[int] = []
    """The numbers of the steps with a refused or failed call, of the whole episode."""
    matches: list[int] = []
    """The numbers of the steps that contain the text that was searched for."""


class OtherAttempt(BaseModel):
    """Another episode of the same task."""

    run: str
    run_name: str
    id: str
    agent: str
    outcome: str
    reward: float | None
    epoch: int
    calls: int


class OtherAttempts(BaseModel):
    """The other episodes of a task."""

    attempts: list[OtherAttempt] = []
    reading: bool = False
    """Whether some runs are still being read, so that more attempts may be found."""
    oracle: str = ""
    """Why the oracle cannot play the task here, or the empty string if it can."""


class EpisodeQuery(_Query):
    """The query parameters of a request for an episode."""

    run: str
    episode: str
    first: int = Field(default=0, ge=0)
    """The position of the first step to send."""
    search: str = Field(default="", max_length=1000)
    """A text to find in the steps; upper and lower case are the same."""


class TextQuery(_Query):
    """The query parameters of a request for a text."""

    run: str
    episode: str
    part: TextPart
    step: int = 0
    """The number of the step; 0 for a text of the episode as a whole."""
    call: int = Field(default=0, ge=0)
    """The position of the call within the step."""
    offset: int = Field(default=0, ge=0)


def arguments_text(arguments: dict[str, Any]) -> str:
    """Returns the arguments of a call as JSON."""
    return to_json(arguments).decode()
