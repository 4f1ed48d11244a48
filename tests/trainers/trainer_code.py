"""The parts of trainers that read training sets, without what they train with.

Importing LLaMA-Factory's reader as it is imports torch, peft, torchaudio and more; importing Harbor's models
imports its clients. None of it takes part in what is tested, so stand-ins take the place of what is only
imported, and nothing of what reads a row is replaced.
"""

import sys
import typing
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import typing_extensions


def _stand_in(name: str, **members: Any) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def _package_without_its_imports(name: str) -> None:
    """A package whose modules can be imported, and whose `__init__` is not run."""
    parent, _, child = name.rpartition(".")
    if parent:
        paths = [f"{path}/{child}" for path in sys.modules[parent].__path__]
    else:
        found = find_spec(name)
        assert found is not None
        paths = [*(found.submodule_search_locations or [])]
    _stand_in(name, __path__=paths)


_package_without_its_imports("llamafactory")
_package_without_its_imports("llamafactory.data")
_stand_in("peft")
# File names of adapters, which `llamafactory.extras.constants` repeats.
_stand_in(
    "peft.utils", SAFETENSORS_WEIGHTS_NAME="adapter_model.safetensors", WEIGHTS_NAME="adapter_model.bin"
)
# Whether another hub than Hugging Face's is asked for; the rest of the module is about devices.
_stand_in("llamafactory.extras.misc", use_modelscope=lambda: False, use_openmind=lambda: False)
# Images, videos and sound.
_stand_in("llamafactory.data.mm_plugin", get_mm_plugin=lambda name, **_: None)
_package_without_its_imports("harbor")
_package_without_its_imports("harbor.models")
_package_without_its_imports("harbor.models.task")
_package_without_its_imports("harbor.utils")
if sys.version_info < (3, 12):
    # Harbor is made for Python 3.12; its models need no more of it than this.
    typing.override = typing_extensions.override  # type: ignore[attr-defined]

from harbor.models.task.task import Task as HarborTask  # noqa: E402
from harbor.models.task.verifier_mode import resolve_verifier_environment_definition  # noqa: E402
from harbor.models.trajectories import Trajectory as HarborTrajectory  # noqa: E402
from llamafactory.data.converter import align_dataset  # noqa: E402
from llamafactory.data.parser import get_dataset_list  # noqa: E402
from llamafactory.data.template import TEMPLATES  # noqa: E402

# Others look for the real one.
del sys.modules["peft"], sys.modules["peft.utils"]

__all__ = [
    "TEMPLATES",
    "HarborTask",
    "HarborTrajectory",
    "align_dataset",
    "get_dataset_list",
    "resolve_verifier_environment_definition",
]
