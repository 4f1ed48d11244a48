"""Configurations written by a model or made by a generator."""

from dataclasses import replace

import pytest

from codegym_mcp.episode_limits import Limits
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError
from codegym_mcp.synthesis.task_configurations import read_configurations, try_generated, try_written
from codegym_mcp.verification.verification_context import VerificationContext


@pytest.mark.parametrize("data", [[], {}, 7, "text", [1], [{"difficulty": 1}], [{"config": [1]}]])
def test_data_that_is_not_a_list_of_configurations_is_refused(data) -> None:
    with pytest.raises(UnusableReplyError):
        read_configurations(data)


async def test_usable_configurations_are_kept_and_the_others_have_a_problem(context, draft) -> None:
    good = {"jars": 2, "grams": [1, 2]}
    written = [good, good, {"jars": "two", "grams": []}, {"jars": 1}]
    tried = await try_written(context, draft.without_oracle("jars"), written)
    assert [task.config for task in tried.tasks] == [good]
    assert len(tried.problems) == 2
    assert all("does not run on" in problem for problem in tried.problems)


async def test_an_answer_that_is_too_long_is_a_problem(context, code) -> None:
    long = code.replace("-> int:\n    return sum(grams)", "-> str:\n    return 'g' * 600")
    draft = Draft.read(long, license="", origin="")
    tried = await try_written(context, draft.without_oracle("jars"), [{"jars": 1, "grams": [1]}])
    assert not tried.tasks
    assert "602 bytes" in tried.describe()


async def test_a_reference_that_fails_is_a_problem(context, code) -> None:
    failing = Draft.read(code.replace("return sum(grams)", "return grams[7]"), license="", origin="")
    tried = await try_written(context, failing.without_oracle("jars"), [{"jars": 1, "grams": [1]}])
    assert not tried.tasks
    assert "does not run on" in tried.describe()


async def test_after_a_batch_of_exceeded_limits_the_rest_is_not_tried(context, code) -> None:
    endless = code.replace("    return sum(grams)", "    while grams:\n        jars += 1\n    return jars")
    draft = Draft.read(endless, license="", origin="")
    configs = [{"jars": number, "grams": [number]} for number in range(12)]
    strict = replace(context, limits=Limits(start_seconds=0.5))
    tried = await try_written(strict, draft.without_oracle("jars"), configs)
    assert not tried.tasks
    assert ["longer than" in problem for problem in tried.problems] == [True] * 5 + [False] * 7
    assert tried.problems[-1].endswith("was not tried.")


async def test_a_generator_is_tried_at_every_difficulty(context, draft, code) -> None:
    tried = await try_generated(context, draft.without_oracle("jars"))
    assert sorted({len(task.config["grams"]) for task in tried.tasks}) == [12, 24, 36, 48, 60]
    assert not tried.problems
    broken = Draft.read(code.replace("12 * difficulty", "12 // (5 - difficulty)"), license="", origin="")
    tried = await try_generated(context, broken.without_oracle("jars"))
    assert "generate(difficulty=5" in tried.describe()


async def test_only_the_first_problems_are_described(context, draft) -> None:
    tried = await try_written(
        context, draft.without_oracle("jars"), [{"jars": number} for number in range(9)]
    )
    assert len(tried.describe().splitlines()) == 6
    assert tried.describe().endswith("… and 4 more.")


async def test_a_configuration_whose_size_contradicts_its_content_is_named(
    context: VerificationContext, draft: Draft
) -> None:
    environment = draft.without_oracle("jars")
    generated = await try_generated(context, environment)
    good, wrong = {"jars": 12, "grams": [5] * 12}, {"jars": 14, "grams": [5] * 12}
    tried = await try_written(context, environment, [good, wrong], generated.tasks)
    assert [task.config for task in tried.tasks] == [good]
    (problem,) = tried.problems
    assert "contradicts itself: jars is 14, but grams has 12 items" in problem
