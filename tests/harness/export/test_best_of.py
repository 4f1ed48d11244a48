from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.export.best_of import BestOf
from codegym_harness.records.episode_result import EpisodeResult

episodes = st.tuples(
    st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from([0.0, 1.0]), st.integers(0, 5)
)


@given(st.lists(episodes, max_size=12), st.integers(1, 3))
def test_best_of_prefers_reward_and_then_fewer_calls(played, count) -> None:
    best = BestOf(count)
    for number, (environment, task, reward, calls) in enumerate(played):
        best.offer(
            number,
            EpisodeResult(
                key=str(number),
                environment=environment,
                task=task,
                epoch=1,
                outcome="correct" if reward else "incorrect",
                reward=reward,
                calls=calls,
            ),
        )
    expected = set()
    for group in {episode[:2] for episode in played}:
        members = [number for number, episode in enumerate(played) if episode[:2] == group]
        expected |= set(sorted(members, key=lambda n: (-played[n][2], played[n][3], n))[:count])
    assert best.chosen() == expected
