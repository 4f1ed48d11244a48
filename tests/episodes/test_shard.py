"""Which process an episode belongs to."""

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.episodes.episode_shards import Shard, id_of_key, id_of_token, shard_of

COUNTS = st.integers(1, 64)


@given(st.text(), COUNTS)
def test_every_id_belongs_to_one_shard_also_as_bytes(episode: str, count: int) -> None:
    shard = shard_of(episode, count)
    assert 0 <= shard < count
    assert shard == shard_of(episode.encode(errors="replace"), count)


@given(COUNTS, st.data())
def test_a_new_id_belongs_to_the_shard_that_made_it(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    first, second = Shard(index, count).new_id(), Shard(index, count).new_id()
    assert shard_of(first, count) == shard_of(second, count) == index
    assert first != second


def test_keys_are_spread_evenly() -> None:
    shards = [shard_of(id_of_key(f"key {number}"), 4) for number in range(4000)]
    assert all(900 < shards.count(shard) < 1100 for shard in range(4))


def test_the_id_is_the_beginning_of_the_token() -> None:
    assert id_of_token("0123456789abcdef-a-secret-with-hyphens") == "0123456789abcdef"
    assert id_of_token("") == ""


def test_the_journal_of_one_process_has_the_name_that_it_always_had() -> None:
    assert Shard().journal_name == "journal.sqlite"
    assert Shard(0, 2).journal_name == "journal-1-of-2.sqlite"
