import pytest

from codegym_mcp.environment_definition.environment import Judge
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.errors import SourceError
from tests.conftest import Declare
from tests.episodes.stateful_environments import BOTH, ONE_CONFIG, STATE_ALONE, with_state

REFERENCE = "def reference(lamps: int, broken: list[int]) -> int:\n    return len(broken)\n"


def test_the_parts_that_score_are_read(declare: Declare) -> None:
    both, alone = declare(BOTH), declare(STATE_ALONE)
    assert both.final_state is not None
    assert (both.takes_answer, both.judge, both.names_mistakes) == (True, Judge.ACCEPTS, True)
    assert not alone.takes_answer
    assert [tool.name for tool in both.tools] == ["inspect", "switch"]


def test_one_configuration_has_the_fields_of_the_record(declare: Declare) -> None:
    made = declare(ONE_CONFIG)
    assert [each.name for each in made.configuration.parameters] == ["lamps", "broken"]
    assert made.program.one_config


@pytest.mark.parametrize("annotation", ["", ": Lamps"])
def test_accepts_may_annotate_the_state(declare: Declare, annotation: str) -> None:
    assert declare(BOTH.replace("state: Lamps", f"state{annotation}")).final_state is not None


def test_two_equal_annotations_of_a_set_agree(declare: Declare) -> None:
    source = with_state("return set(self.lit)", "set[int]").replace(
        "(answer, state,", "(answer, state: set[int],"
    )
    assert declare(source).final_state is not None


ACCEPTS = BOTH[BOTH.index("def accepts") : BOTH.index("def mistakes")]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (BOTH.replace(ACCEPTS, ""), "has final_state, but accepts is missing"),
        (
            BOTH.replace("(answer, state: Lamps, lamps", "(answer, lamps"),
            "accepts takes (answer, lamps, broken)",
        ),
        (
            BOTH.replace("(answer, state: Lamps", "(state: Lamps, answer"),
            "not (answer, state, lamps, broken)",
        ),
        (BOTH.replace("(answer, state: Lamps", "(state: Lamps"), "reference is defined"),
        (BOTH.replace("state: Lamps", "state: list[int]"), "accepts takes the state as list[int]"),
        (BOTH.replace(REFERENCE, ""), "the function reference(lamps, broken) is missing"),
        (
            BOTH.replace("lamps, broken):\n    return answer", "state2, lamps, broken):\n    return answer"),
            "state2",
        ),
        (BOTH.replace("broken", "answer"), "the parameter answer of __init__"),
        (STATE_ALONE.replace("broken", "state"), "the parameter state of __init__"),
        (BOTH.replace("final_state(self)", "final_state(self, x: int)"), "final_state takes parameters"),
        (BOTH.replace("final_state(self) -> Lamps", "final_state(self)"), "has no return annotation"),
        (BOTH.replace("self.lit = []", "self.lit = self.final_state = []"), "hides the method final_state"),
        (BOTH.replace("def mistakes(lamps, broken)", "def mistakes(lamps)"), "mistakes takes (lamps)"),
        (
            ONE_CONFIG.replace("config: Config):\n        self", "config: Config, x: int):\n        self"),
            "a Config",
        ),
        (ONE_CONFIG.replace("reference(config: Config)", "reference(lamps)"), "not (config)"),
        (ONE_CONFIG.replace("(TypedDict):", "(TypedDict, total=False):"), "lamps of Config is optional"),
        (ONE_CONFIG.replace("def solve(tools, lamps)", "def solve(tools, config)"), "not (tools, lamps)"),
        (ONE_CONFIG.replace("def mistakes(config: Config)", "def mistakes(lamps, broken)"), "not (config)"),
    ],
)
def test_what_breaks_the_contract_is_named(source: str, problem: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_environment_source(source, name="lamps", path="lamps.py")
    assert problem in str(caught.value)


def test_a_record_named_config_beside_other_parameters_is_a_plain_record(declare: Declare) -> None:
    source = BOTH.replace("Lamps", "Config")
    assert not declare(source).program.one_config
