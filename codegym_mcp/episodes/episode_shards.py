"""Which of several processes an episode belongs to. Its id alone decides, so that every process knows it."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32


def id_of_key(key: str) -> str:
    """Returns the id of the episode that is opened with an idempotency key."""
    return sha256(key.encode()).hexdigest()[:16]


def id_of_token(token: str) -> str:
    """Returns the id of the episode with a token, which begins with the id."""
    return token.partition("-")[0]


def shard_of(episode: str | bytes, count: int) -> int:
    """Returns the index of the shard that an episode belongs to.

    Args:
        episode: the id of the episode.
        count: the number of shards.
    """
    return crc32(episode if isinstance(episode, bytes) else episode.encode(errors="replace")) % count


@dataclass(frozen=True)
class Shard:
    """A part of all episodes, held by one process.

    Attributes:
        index: the position among all shards, from 0.
        count: the number of shards.
    """

    index: int = 0
    count: int = 1

    def new_id(self) -> str:
        """Returns a new random id of an episode that belongs to this shard."""
        while True:
            episode = secrets.token_hex(8)
            if shard_of(episode, self.count) == self.index:
                return episode

    @property
    def journal_name(self) -> str:
        """The name of the journal's file in the data folder."""
        return "journal.sqlite" if self.count == 1 else f"journal-{self.index + 1}-of-{self.count}.sqlite"
