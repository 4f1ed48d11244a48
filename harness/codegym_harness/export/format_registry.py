"""The formats of training sets by name."""

from collections.abc import Mapping

from codegym_harness.export import atif_format, openai_format, sharegpt_format, trl_format
from codegym_harness.export.export_format import Format

FORMATS: Mapping[str, Format] = {
    "trl": trl_format.FORMAT,
    "openai": openai_format.FORMAT,
    "sharegpt": sharegpt_format.FORMAT,
    "atif": atif_format.FORMAT,
    "atif-1.7": atif_format.FORMAT_1_7,
}
