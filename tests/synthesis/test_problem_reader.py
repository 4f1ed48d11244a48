import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.problem_reader import (
    CodingProblem,
    UnreadableProblem,
    read_problems,
    unusable_reason,
)

RAW = {
    "subset": "Orchards",
    "question_id": "Orchards_7",
    "question": "How heavy is the lightest basket?",
    "solution": "def lightest(baskets):\n    return min(baskets)\n",
}
MBPP = {
    "task_id": 31,
    "text": "Write a function to weigh a basket.",
    "code": "def weigh(basket):\r\n    return sum(basket)",
    "test_setup_code": "",
    "test_list": ["assert weigh([1, 2]) == 3", "assert weigh([]) == 0"],
    "challenge_test_list": [],
}
MBPP_PLUS = {
    "task_id": "Mbpp/32",
    "prompt": '"""\nWrite a function to weigh a basket.\nassert weigh([1, 2]) == 3\n"""\n',
    "entry_point": "weigh",
    "canonical_solution": "\ndef weigh(basket):\n    return sum(basket)\n",
    "base_input": [[[1, 2]]],
    "assertion": "assert weigh([1, 2]) == 3\nassert weigh([]) == 0\n",
}
HUMAN_EVAL = {
    "task_id": "Orchard/3",
    "prompt": 'def weigh(basket):\n    """ Weigh a basket. """\n',
    "canonical_solution": "    return sum(basket)\n",
    "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0, 'empty'\n",
    "entry_point": "weigh",
}
PLAIN = {"id": "one", "statement": "Weigh a basket.", "solution": "def weigh(b):\n    return sum(b)\n"}


def written(tmp_path: Path, *lines: dict[str, Any] | str | bytes) -> Path:
    path = tmp_path / "problems.jsonl"
    path.write_bytes(
        b"\n".join(
            line
            if isinstance(line, bytes)
            else line.encode()
            if isinstance(line, str)
            else json.dumps(line).encode()
            for line in lines
        )
    )
    return path


def only(problems: list[CodingProblem | UnreadableProblem]) -> CodingProblem:
    (problem,) = problems
    assert isinstance(problem, CodingProblem)
    return problem


def test_raw_problems_of_codegym_are_read(tmp_path: Path) -> None:
    assert only(read_problems(written(tmp_path, RAW))) == CodingProblem(
        id="Orchards_7",
        statement=RAW["question"],
        solution=RAW["solution"],
        source="CodeGym raw problems (Orchards)",
        license="CC BY-NC 4.0",
    )


def test_mbpp_is_read_with_its_assertions(tmp_path: Path) -> None:
    assert only(read_problems(written(tmp_path, MBPP))) == CodingProblem(
        id="31",
        statement="Write a function to weigh a basket.",
        solution="def weigh(basket):\n    return sum(basket)",
        tests=("assert weigh([1, 2]) == 3", "assert weigh([]) == 0"),
        source="MBPP",
        license="CC BY 4.0",
    )


def test_mbpp_is_read_with_a_prompt_field_and_a_setup_of_its_tests(tmp_path: Path) -> None:
    record = {**MBPP, "prompt": MBPP["text"], "test_setup_code": "basket = [1]"}
    del record["text"]
    problem = only(read_problems(written(tmp_path, record)))
    assert problem.source == "MBPP"
    assert problem.tests[0] == "basket = [1]"


def test_imports_of_its_tests_come_before_the_assertions_of_mbpp(tmp_path: Path) -> None:
    record = {**MBPP, "test_imports": ["import math", "import re", 7], "test_setup_code": None}
    assert only(read_problems(written(tmp_path, record))).tests[:2] == (
        "import math\nimport re",
        "assert weigh([1, 2]) == 3",
    )


def test_mbpp_plus_is_no_human_eval_although_its_fields_have_the_same_names(tmp_path: Path) -> None:
    assert only(read_problems(written(tmp_path, MBPP_PLUS))) == CodingProblem(
        id="Mbpp/32",
        statement=MBPP_PLUS["prompt"],
        solution=MBPP_PLUS["canonical_solution"],
        tests=("assert weigh([1, 2]) == 3", "assert weigh([]) == 0"),
        source="MBPP+",
        license="CC BY 4.0",
        entry_point="weigh",
    )


def test_human_eval_is_read_with_the_signature_before_its_solution(tmp_path: Path) -> None:
    problem = only(read_problems(written(tmp_path, HUMAN_EVAL)))
    assert problem.solution == HUMAN_EVAL["prompt"] + HUMAN_EVAL["canonical_solution"]
    assert problem.tests == ("assert weigh([1, 2]) == 3", "assert weigh([]) == 0, 'empty'")
    assert (problem.id, problem.source, problem.license) == ("Orchard/3", "HumanEval", "MIT")
    assert problem.entry_point == "weigh"
    assert unusable_reason(problem) is None


def test_tests_that_are_no_assertions_are_kept_as_they_are(tmp_path: Path) -> None:
    problem = only(read_problems(written(tmp_path, {**HUMAN_EVAL, "test": "METADATA = {}"})))
    assert problem.tests == ("METADATA = {}",)


def test_a_file_with_our_field_names_needs_no_options(tmp_path: Path) -> None:
    problem = only(read_problems(written(tmp_path, {**PLAIN, "license": "MIT"})))
    assert (problem.id, problem.source, problem.license) == ("one", "problems.jsonl", "MIT")


def test_the_user_names_the_fields(tmp_path: Path) -> None:
    record = {
        "nr": 4,
        "body": "Weigh it.",
        "answer": "def f(b):\n    return b",
        "terms": "MIT",
        "from": "a book",
    }
    named = {"id": "nr", "statement": "body", "solution": "answer", "license": "terms", "source": "from"}
    problem = only(read_problems(written(tmp_path, record), fields=named))
    assert (problem.id, problem.statement, problem.license, problem.source) == (
        "4",
        "Weigh it.",
        "MIT",
        "a book",
    )


def test_one_field_of_a_known_collection_may_be_renamed(tmp_path: Path) -> None:
    problem = only(
        read_problems(
            written(tmp_path, {**RAW, "better": "def f():\n    return 1"}), fields={"solution": "better"}
        )
    )
    assert problem.solution == "def f():\n    return 1"
    assert problem.id == "Orchards_7"


def test_a_problem_without_an_id_has_the_number_of_its_line(tmp_path: Path) -> None:
    record = {"statement": "Weigh it.", "solution": "def f(b):\n    return b"}
    problems = read_problems(written(tmp_path, record, "", record))
    assert [problem.id for problem in problems] == ["line 1", "line 3"]


def test_the_licence_of_the_user_replaces_all_others(tmp_path: Path) -> None:
    path = written(tmp_path, RAW, {**RAW, "question_id": "b", "license": "MIT"})
    assert [problem.license for problem in read_problems(path)] == ["CC BY-NC 4.0", "MIT"]  # type: ignore[union-attr]
    assert {problem.license for problem in read_problems(path, license="CC0")} == {"CC0"}  # type: ignore[union-attr]


BROKEN: list[tuple[dict[str, Any] | bytes, str]] = [
    (b"{", "not JSON"),
    (b"[1]", "not a JSON object"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[" * 100_000, "not JSON"),
    ({**RAW, "question_id": "b", "solution": None}, "no solution"),
    ({"question_id": "b", "question": "What?"}, "no solution"),
    ({**RAW, "question_id": "b", "solution": " \n"}, "no solution"),
    ({**RAW, "question_id": "b", "question": ""}, "no statement"),
    ({**RAW, "question_id": "b", "question": ["What?"]}, "statement is not text"),
    ({**RAW, "question_id": "b", "solution": {"python": "x"}}, "solution is not text"),
    ({**RAW, "question_id": "b", "question": "half \ud800"}, "statement is invalid"),
    ({**RAW, "question_id": "half \ud800"}, "cannot be printed"),
    ({**RAW, "question_id": [1]}, "id is neither"),
    ({**RAW, "question_id": "b" * 10_000}, "id is invalid"),
    (RAW, "has the id Orchards_7 too"),
]


@pytest.mark.parametrize(
    ("record", "reason"), BROKEN, ids=[f"{place}-{reason}" for place, (_, reason) in enumerate(BROKEN)]
)
def test_an_unusable_record_has_its_reason_and_the_others_are_read(
    tmp_path: Path, record: dict[str, Any] | bytes, reason: str
) -> None:
    first, broken, last = read_problems(written(tmp_path, RAW, record, {**RAW, "question_id": "last"}))
    assert isinstance(first, CodingProblem)
    assert isinstance(last, CodingProblem)
    assert isinstance(broken, UnreadableProblem)
    assert reason in broken.reason
    assert broken.id not in (first.id, last.id)


def test_a_collection_is_recognised_behind_a_broken_first_line(tmp_path: Path) -> None:
    broken, problem = read_problems(written(tmp_path, "{", MBPP))
    assert isinstance(broken, UnreadableProblem)
    assert isinstance(problem, CodingProblem)


def test_a_collection_is_recognised_by_a_first_problem_without_a_solution(tmp_path: Path) -> None:
    without = {key: value for key, value in RAW.items() if key != "solution"}
    first, second = read_problems(written(tmp_path, without, {**RAW, "question_id": "b"}))
    assert isinstance(first, UnreadableProblem)
    assert isinstance(second, CodingProblem)


@pytest.mark.parametrize("lines", [[], ["", " "], ["{"], ["3"]])
def test_a_file_without_a_record_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(SourceError, match="no JSON object"):
        read_problems(written(tmp_path, *lines))


def test_a_file_of_another_kind_is_refused_with_the_fields_it_has_and_the_option_to_name_them(
    tmp_path: Path,
) -> None:
    with pytest.raises(SourceError, match=r"body, title.*--field statement=NAME"):
        read_problems(written(tmp_path, {"title": "x", "body": "y"}))


def test_a_field_that_no_record_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no answer and statement"):
        read_problems(written(tmp_path, PLAIN), fields={"statement": "statement", "solution": "answer"})


def test_a_field_that_no_problem_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no field 'answer'"):
        read_problems(written(tmp_path, PLAIN), fields={"answer": "solution"})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_problems(tmp_path / "nothing.jsonl")


def test_a_byte_order_mark_and_windows_line_ends_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(RAW).encode() + b"\r\n")
    assert only(read_problems(path)).id == "Orchards_7"


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_bytes(json.dumps({**RAW, "question": "Zo\u00eb?"}, ensure_ascii=False).encode("cp1252"))
    with pytest.raises(SourceError, match=r"problems\.jsonl:1: .*The line is not UTF-8 text\. .*in UTF-8"):
        read_problems(path)


def test_a_statement_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    problem = only(read_problems(written(tmp_path, {**RAW, "question": "why? " * 20_000})))
    assert "100,000 characters long" in (unusable_reason(problem) or "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.sampled_from([RAW, MBPP, MBPP_PLUS, HUMAN_EVAL, PLAIN])


@given(st.data())
def test_any_record_is_a_problem_or_has_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    sound = data.draw(RECORDS)
    changed = {key: data.draw(st.just(value) | JSON) for key, value in sound.items()}
    lines = [sound, changed, data.draw(st.binary().filter(lambda line: b"\n" not in line)), sound]
    problems = read_problems(written(tmp_path_factory.mktemp("any"), *lines))
    assert len({problem.id for problem in problems}) == len(problems) >= 3
    for problem in problems:
        assert problem.id.encode()
        reason = problem.reason if isinstance(problem, UnreadableProblem) else unusable_reason(problem)
        assert reason is None or reason.endswith(".")
    assert isinstance(problems[0], CodingProblem)
    assert isinstance(problems[-1], UnreadableProblem)


def test_records_of_several_collections_in_one_file_are_recognised_one_by_one(tmp_path: Path) -> None:
    problems = read_problems(
        written(tmp_path, HUMAN_EVAL, MBPP, RAW, PLAIN, MBPP_PLUS, {**HUMAN_EVAL, "task_id": "Orchard/4"})
    )
    assert all(isinstance(problem, CodingProblem) for problem in problems)
    assert [problem.source for problem in problems if isinstance(problem, CodingProblem)] == [
        "HumanEval",
        "MBPP",
        "CodeGym raw problems (Orchards)",
        "problems.jsonl",
        "MBPP+",
        "HumanEval",
    ]


def test_an_incomplete_record_is_read_as_the_likeliest_collection_of_its_file(tmp_path: Path) -> None:
    without = {key: value for key, value in MBPP.items() if key not in ("code", "test_list")}
    _, _, problem = read_problems(written(tmp_path, HUMAN_EVAL, MBPP, {**without, "task_id": 32}))
    assert isinstance(problem, UnreadableProblem)
    assert problem.id == "32"
    assert "no solution" in problem.reason


@pytest.mark.parametrize(
    ("record", "origin"),
    [
        ({**HUMAN_EVAL, "task_id": "HumanEval/3"}, "HumanEval/3"),
        (MBPP, "MBPP, problem 31"),
        (MBPP_PLUS, "MBPP+, problem Mbpp/32"),
        (RAW, "CodeGym raw problems (Orchards), problem Orchards_7"),
        (PLAIN, "problems.jsonl, problem one"),
        ({key: PLAIN[key] for key in ("statement", "solution")}, "problems.jsonl, line 1"),
    ],
)
def test_the_origin_names_collection_and_problem_once(
    tmp_path: Path, record: dict[str, Any], origin: str
) -> None:
    assert only(read_problems(written(tmp_path, record))).origin == origin
