"""How probable the oracle's turns are for a model: the share of sampled episodes that would be the oracle's.

This is exact and costs one pass over the episodes, while playing them costs hundreds. Where few other ways
solve a task, it is the share of solved tasks.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerBase

Messages = Sequence[Mapping[str, Any]]


class _Episodes(NamedTuple):
    """The tokens of episodes, padded to one length, and which of them are the agent's."""

    tokens: torch.Tensor
    is_agent: torch.Tensor


class OracleProbability:
    """Measures the probability of sets of episodes.

    Args:
        sets: for each set, the conversations of its episodes.
        model: a model of the same shape. It is copied.
        tokenizer: its chat template marks the agent's turns.
    """

    def __init__(
        self, sets: Sequence[Sequence[Messages]], model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
    ) -> None:
        self._model = copy.deepcopy(model).eval()
        self._sets = [_encode(each, tokenizer) for each in sets]

    def __call__(self, weights: Mapping[str, torch.Tensor]) -> list[float]:
        """Returns for each set the mean probability that a model with these weights plays an episode so."""
        self._model.load_state_dict(weights)
        with torch.inference_mode():
            return [self._mean_probability(each) for each in self._sets]

    def _mean_probability(self, episodes: _Episodes) -> float:
        logits = self._model(input_ids=episodes.tokens).logits[:, :-1]
        following = episodes.tokens[:, 1:, None]
        each = logits.log_softmax(-1).gather(-1, following).squeeze(-1)
        return float((each * episodes.is_agent[:, 1:]).sum(-1).exp().mean())


def _encode(conversations: Sequence[Messages], tokenizer: PreTrainedTokenizerBase) -> _Episodes:
    encoded = [
        tokenizer.apply_chat_template(messages, return_assistant_tokens_mask=True, return_dict=True)
        for messages in conversations
    ]
    return _Episodes(
        *(
            pad_sequence([torch.tensor(each[name]) for each in encoded], batch_first=True)
            for name in ("input_ids", "assistant_masks")
        )
    )
