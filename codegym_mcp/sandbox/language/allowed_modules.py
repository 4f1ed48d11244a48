"""The modules that an environment may import, member by member.

Environment code never gets a module object, from which it could reach every other module (`random._os`,
`json.codecs`, `re.enum`). It gets a read-only view of the members listed here.
"""

import importlib
import random
from typing import Any, NoReturn

from codegym_mcp.sandbox.language import stdlib_replacements, text_without_addresses
from codegym_mcp.sandbox.language.stdlib_replacements import GymEnv, RecordHint, SeededRandom, TypeHint

_RANDOM = (
    "random randint randrange choice choices sample shuffle uniform gauss normalvariate expovariate "
    "triangular betavariate getrandbits"
)
_TYPES = (
    "Callable Collection Generator Hashable Iterable Iterator Mapping MutableMapping MutableSequence "
    "MutableSet Sequence Set"
)

ALLOWED_MODULES: dict[str, frozenset[str]] = {
    name: frozenset(members.split())
    for name, members in {
        "ast": "literal_eval",
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "collections": "Counter OrderedDict defaultdict deque",
        "collections.abc": _TYPES,
        "copy": "copy deepcopy",
        "datetime": "date datetime time timedelta timezone",
        "decimal": "Decimal ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP",
        "fractions": "Fraction",
        "functools": "cache cmp_to_key lru_cache partial reduce",
        "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
        "itertools": "accumulate chain combinations combinations_with_replacement compress count cycle "
        "dropwhile filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee "
        "zip_longest",
        "json": "dumps loads",
        "math": "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf "
        "erfc exp exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf "
        "isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians "
        "remainder sin sinh sqrt tan tanh tau trunc ulp",
        "operator": "add and_ contains eq floordiv ge gt itemgetter le lt mod mul ne neg or_ sub truediv xor",
        "random": f"{_RANDOM} Random seed",
        "re": "DOTALL I IGNORECASE M MULTILINE S X VERBOSE compile escape findall finditer fullmatch match "
        "search split sub subn",
        "statistics": "fmean mean median median_high median_low mode multimode pstdev pvariance stdev "
        "variance",
        "string": "ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits "
        "punctuation whitespace",
        # Not fill and wrap: they pass a table that all calls share to methods of their arguments.
        "textwrap": "dedent indent shorten",
        "typing": f"{_TYPES} Any DefaultDict Deque Dict Final FrozenSet List Literal NotRequired Optional "
        "Tuple TypedDict Union",
        "gymnasium": "Env",
    }.items()
}
"""The members that environment code may use, by module. `gymnasium` is a substitute, never the package.

All of them exist in every supported version of Python, so that an environment runs on all or on none.
"""


class ModuleView:
    """A read-only view of some members of a module."""

    def __init__(self, name: str, members: dict[str, Any]) -> None:
        self.__dict__.update(members, _name=name)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self._name}.{name} is not available here")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TypeError("modules are read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise TypeError("modules are read-only")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("modules cannot be copied")

    def __repr__(self) -> str:
        return f"<module {self._name}>"


def import_allowed() -> None:
    """Imports every allowed module, so that nothing has to be read from disk afterwards.

    Modules that the allowed ones import on first use are imported by using them.
    """
    for name in ALLOWED_MODULES:
        if name != "gymnasium":
            importlib.import_module(name)
    for imported_on_use in ("_strptime", "unicodedata"):
        importlib.import_module(imported_on_use)
    # From Python 3.13 on, seeding with a text imports the module of its hash function.
    random.Random("text")  # noqa: S311


def module_views() -> dict[str, ModuleView]:
    """Returns new views of all allowed modules, with a seeded generator for `random`."""
    generator = SeededRandom(0)
    hints = {name: TypeHint() for name in ALLOWED_MODULES["typing"]}
    own: dict[str, dict[str, Any]] = {
        "ast": {"literal_eval": stdlib_replacements.literal_eval},
        "collections.abc": hints,
        "copy": {"deepcopy": stdlib_replacements.deepcopy},
        "functools": {"cache": stdlib_replacements.cache, "lru_cache": stdlib_replacements.lru_cache},
        "gymnasium": {"Env": GymEnv},
        "operator": {"mod": text_without_addresses.safe_modulo},
        "random": {name: getattr(generator, name) for name in (*_RANDOM.split(), "seed")}
        | {"Random": SeededRandom},
        "typing": hints | {"TypedDict": RecordHint()},
    }
    return {
        name: ModuleView(name, _members(name, names, own.get(name, {})))
        for name, names in ALLOWED_MODULES.items()
    }


def _members(module: str, names: frozenset[str], own: dict[str, Any]) -> dict[str, Any]:
    if own.keys() >= names:
        return {name: own[name] for name in names}
    real = importlib.import_module(module)
    return {name: getattr(real, name) for name in names - own.keys()} | own
