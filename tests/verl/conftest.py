"""A tiny model's files, and verl's configuration, with which verl's own worker runs agent loops."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

CHAT_TEMPLATE = Path(__file__).with_name("chatml.jinja")
MODEL = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "vocab_size": 300,
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_attention_heads": 1,
    "num_hidden_layers": 1,
    "num_key_value_heads": 1,
}


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """verl is installed only where these tests are asked for."""
    if config.option.markexpr != "verl":
        return True
    with warnings.catch_warnings():
        # verl imports what its libraries have deprecated.
        warnings.simplefilter("ignore")
        import verl.experimental.agent_loop  # noqa: F401
    return None


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model without weights: a configuration, and a tokenizer with a token for each byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("model")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>"],
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE.read_text(),
    ).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(MODEL))
    return folder


@pytest.fixture
def configuration(model: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """verl's default configuration for PPO, for that model."""
    import verl
    from omegaconf import OmegaConf

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = Path(verl.__file__).parent / "trainer" / "config" / "_generated_ppo_trainer.yaml"
    configuration = OmegaConf.load(path)
    configuration.actor_rollout_ref.model.path = str(model)
    rollout = configuration.actor_rollout_ref.rollout
    rollout.name = "vllm"
    rollout.multi_turn.format = "hermes"
    rollout.prompt_length = 4000
    rollout.response_length = 3000
    return configuration
