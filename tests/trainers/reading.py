"""How a training set gets to a trainer: by `datasets`, with a tokenizer, through a chat template."""

from functools import cache
from pathlib import Path

from datasets import Dataset, disable_progress_bars, load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

disable_progress_bars()


def load(path: Path) -> Dataset:
    """The rows of a file, as every trainer here loads it."""
    kind = {".jsonl": "json", ".parquet": "parquet"}[path.suffix]
    return load_dataset(kind, data_files=str(path), split="train")


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """A token for each byte, so that what was encoded can be decoded again."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    marks = ["<|im_start|>", "<|im_end|>"]
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        additional_special_tokens=marks,
        clean_up_tokenization_spaces=False,
    )
