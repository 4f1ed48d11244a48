import sys

import pytest

from codegym_harness.agents.function_agent import FunctionAgent, load_function
from codegym_mcp.episodes.episode import EpisodeSettings, EpisodeState
from codegym_mcp.errors import CodegymError

SOURCE = """
async def climb(game):
    heard = (await game.call("listen", {})).value
    while heard["sound"] != "here":
        await game.call("move", {"floors": 1})
        heard = (await game.call("listen", {})).value
    return heard["floor"]


def not_async(game):
    return 1
"""


async def test_what_a_function_returns_is_submitted(bells, episodes, tmp_path):
    (tmp_path / "climber.py").write_text(SOURCE)
    agent = load_function(f"{tmp_path / 'climber.py'}:climb")
    episode = await episodes.open(bells, bells.tasks[2], EpisodeSettings())
    await agent.play(episode, 1)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_a_function_that_returns_nothing_submits_nothing(bells, episodes):
    async def look(game):
        await game.call("listen", {})

    episode = await episodes.open(bells, bells.tasks[0], EpisodeSettings())
    await FunctionAgent(look).play(episode, 1)
    assert episode.state is EpisodeState.OPEN


def test_a_function_is_named_after_itself_or_its_place(tmp_path):
    async def look(game): ...

    assert FunctionAgent(look).info.name == "look"
    (tmp_path / "climber.py").write_text(SOURCE)
    assert load_function(f"{tmp_path / 'climber.py'}:climb").info.name.endswith("climber.py:climb")


def test_a_module_beside_one_is_found(tmp_path, monkeypatch):
    (tmp_path / "a_climber_of_ones_own.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert load_function("a_climber_of_ones_own:climb").info.name == "a_climber_of_ones_own:climb"
    del sys.modules["a_climber_of_ones_own"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere.py:climb", "there is no file nowhere.py"),
        ("no_such_module:climb", "No module named"),
        ("climber.py:not_async", "no async function"),
        ("climber.py:missing", "no async function"),
        ("broken.py:climb", "SyntaxError"),
    ],
)
def test_a_function_that_cannot_be_had_is_explained(tmp_path, monkeypatch, place, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "climber.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("async def climb(:\n")
    with pytest.raises(CodegymError, match=words):
        load_function(place)
