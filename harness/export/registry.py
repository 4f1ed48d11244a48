"""The formats by name."""

from collections.abc import Mapping

from harness.export import atif, openai, sharegpt, trl
from harness.export.format import Format

FORMATS: Mapping[str, Format] = {
    "trl": trl.FORMAT,
    "openai": openai.FORMAT,
    "sharegpt": sharegpt.FORMAT,
    "atif": atif.FORMAT,
}
