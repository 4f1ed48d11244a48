"""Generates values like those of the examples, but larger."""

import copy
from random import Random
from typing import Any

from codegym_mcp.synthesis.program_tracing.input_generation.input_invariants import SequenceRules

_MOST_ROWS = 12
_MAX_LENGTH = 24
_MAX_SPAN = 2_000


class SimilarValues:
    """Generates values; what all examples of a value have in common holds for the generated ones too."""

    def __init__(self, random: Random, *, only_digits: bool) -> None:
        """
        Args:
            only_digits: whether whole numbers are digits.
        """
        self._random = random
        self._only_digits = only_digits
        self._rules: dict[tuple[int, ...], SequenceRules] = {}

    def rules_of(self, samples: list[Any]) -> SequenceRules:
        """Returns what parts of the examples have in common; the same parts are examined once."""
        key = tuple(map(id, samples))
        if key not in self._rules:
            self._rules[key] = SequenceRules.of(samples)
        return self._rules[key]

    def value(self, value: Any, samples: list[Any], size: int) -> Any:
        """Returns a value like the samples, of which `value` is one."""
        same = [each for each in samples if type(each) is type(value)]
        match value:
            case None:
                return None
            case bool():
                return self._random.random() < 0.5
            case int():
                return self._integer(same)
            case float():
                return self._float(same)
            case str():
                return self._text(same, size)
            case dict():
                return self._dict(same, size)
            case list() | tuple():
                return self._sequence(value, same, size)
        items = [item for each in same for item in each]
        return (
            type(value)(self.value(self._random.choice(items), items, size // 2) for _ in range(size))
            if items
            else value
        )

    def _integer(self, samples: list[int]) -> int:
        random = self._random
        least, greatest = min(samples), max(samples)
        if self._only_digits:
            return random.randint(min(least, 1), 9)
        if random.random() < 0.25:
            return random.choice(samples)
        span = min(max(greatest - least, 3), _MAX_SPAN)
        low = least - span // 2 if least < 0 else 1 if least >= 1 else 0
        high = least + span + span // 2 if greatest - least > _MAX_SPAN else greatest + span // 2
        return random.randint(low if greatest - low <= 4 * span else least, max(high, low))

    def _float(self, samples: list[float]) -> float:
        least, greatest = min(samples), max(samples)
        places = max(len(repr(each).partition(".")[2]) for each in samples)
        return round(self._random.uniform(least, greatest + (greatest - least) / 2 + 1), min(places, 3))

    def _text(self, samples: list[str], size: int) -> str:
        random = self._random
        longest = max(map(len, samples))
        alphabet = sorted(set("".join(samples)))
        if not alphabet:
            return ""
        if longest <= 1:
            return random.choice(alphabet)
        if any(" " in each for each in samples):
            words = [word for each in samples for word in each.split(" ")]
            made = [random.choice(words) for _ in range(max(3, size // 2))]
            if random.random() < 0.4:
                made = list(dict.fromkeys([*made, *random.sample(words, len(words))]))[: max(4, size)]
                made += [random.choice(made)] if random.random() < 0.5 else []
            return " ".join(made)
        if len({len(each) for each in samples}) == 1 and len(samples) > 2:
            length = longest
        else:
            length = random.randint(max(2, size // 2), max(size, 2))
        choice = random.random()
        if choice < 0.3:
            text = "".join(random.choice(samples) for _ in range(4))[: max(length, longest)]
        elif 0.45 <= choice < 0.65 and len(alphabet) > 4:
            letters = random.sample(alphabet, min(len(alphabet), length))
            repeated = random.choice(letters) if random.random() < 0.5 else ""
            text = "".join(letters) + repeated
        elif choice < 0.45:
            half = "".join(random.choice(alphabet) for _ in range(max(1, length // 2)))
            text = half + half[::-1]
        else:
            text = "".join(random.choice(alphabet) for _ in range(length))
        return self.edit_text(text, alphabet) if choice < 0.45 and random.random() < 0.5 else text

    def edit_text(self, text: str, alphabet: list[str]) -> str:
        """Returns a text with one character replaced."""
        if not text:
            return text
        place = self._random.randrange(len(text))
        return text[:place] + self._random.choice(alphabet) + text[place + 1 :]

    def _dict(self, samples: list[dict[Any, Any]], size: int) -> dict[Any, Any]:
        keys = [key for each in samples for key in each]
        items = [item for each in samples for item in each.values()]
        if not keys:
            return {}
        if _is_graph(samples):
            return self._graph(samples, size)
        known = sorted(set(keys), key=repr)
        self._random.shuffle(known)
        made = [self.value(self._random.choice(keys), keys, 5) for _ in range(size)]
        chosen = dict.fromkeys([*known, *made][: max(4, size // 2)])
        return {key: self.value(self._random.choice(items), items, size // 3) for key in chosen}

    def _graph(self, samples: list[dict[Any, Any]], size: int) -> dict[Any, Any]:
        """Returns a dict whose values name keys of it: a graph, as its nodes and their neighbours."""
        random = self._random
        keys = [key for each in samples for key in each]
        neighbours = [item for each in samples for item in each.values()]
        made = [self.value(random.choice(keys), keys, 5) for _ in range(size)]
        nodes = list(dict.fromkeys([*keys, *made]))[: random.randint(4, max(5, size // 2))]
        degrees = [len(item) for item in neighbours]
        graph: dict[Any, Any] = {}
        for node in nodes:
            others = [each for each in nodes if each != node]
            chosen = random.sample(others, min(len(others), random.choice(degrees)))
            kind = random.choice(neighbours)
            if isinstance(kind, dict):
                weights = [
                    weight for item in neighbours if isinstance(item, dict) for weight in item.values()
                ]
                graph[node] = {each: self.value(random.choice(weights), weights, 4) for each in chosen}
            else:
                graph[node] = type(kind)(chosen)
        return graph

    def _sequence(self, value: Any, samples: list[Any], size: int) -> Any:
        random = self._random
        rules = self.rules_of(samples)
        items = [item for each in samples for item in each]
        if not items:
            return value
        if (
            isinstance(value, tuple)
            and rules.length == len(value)
            and (len({type(x) for x in value}) > 1 or size < 8)
        ):
            return tuple(self.value(x, [each[k] for each in samples], size // 2) for k, x in enumerate(value))
        nested = all(isinstance(item, list | tuple | dict) for item in items)
        length = min(size, _MOST_ROWS) if nested else min(size, _MAX_LENGTH)
        length = max(2, random.randint(length * 2 // 3, length))
        if size < 4:
            length = random.randint(0 if any(not each for each in samples) else 1, max(2, *map(len, samples)))
        members: list[Any]
        if nested and rules.rectangular:
            members = self._rows(items, rules, length, size)
        elif rules.closed:
            members = [copy.deepcopy(random.choice(items)) for _ in range(length)]
        elif rules.indices:
            members = [random.randrange(length) for _ in range(length)]
        else:
            members = self._members(value, items, length, size, nested=nested)
        if rules.distinct:
            members = list({repr(member): member for member in members}.values())
        if rules.ascending or rules.descending:
            members = sorted_by(members, rules)
        return type(value)(members)

    def _members(self, value: Any, items: list[Any], length: int, size: int, *, nested: bool) -> list[Any]:
        random = self._random
        choice = random.random()
        inner = max(3, size // 3) if nested else max(2, size // 3)
        if choice < 0.15 and len(value) and not nested:
            members = [copy.deepcopy(x) for _ in range(length // len(value) + 1) for x in value][:length]
        elif choice < 0.3 and not nested:
            half = [self.value(random.choice(items), items, inner) for _ in range(length // 2)]
            members = half + half[::-1]
        else:
            members = [self.value(random.choice(items), items, inner) for _ in range(length)]
        if members and choice < 0.3 and random.random() < 0.6:
            members[random.randrange(len(members))] = self.value(random.choice(items), items, inner)
        if 0.65 < choice < 0.8 and not nested:
            # Different values, or different ones of which one is repeated late, decide late.
            members = list({repr(member): member for member in members}.values())
            if len(members) > 2 and random.random() < 0.5:
                members[-random.randint(1, 2)] = copy.deepcopy(random.choice(members))
        if choice > 0.9 and not nested:
            members = self._progression(items, length) or members
        if 0.3 < choice < 0.5 and not nested and len(members) > 3:
            # Repeated values make counts, modes and duplicates interesting.
            for _ in range(len(members) // 2):
                members[random.randrange(len(members))] = copy.deepcopy(random.choice(members))
        if 0.5 < choice < 0.65 and not nested:
            try:
                members.sort()
            except TypeError:
                return members
            if members and random.random() < 0.5:
                place = random.randrange(len(members))
                members[place] = self.value(random.choice(items), items, inner)
        return members

    def _progression(self, items: list[Any], length: int) -> list[int] | None:
        """Returns numbers at equal distances, of which sometimes one is another; None for other values."""
        if self._only_digits or not all(type(item) is int for item in items):
            return None
        random = self._random
        steps = max(1, (max(items) - min(items)) // max(2, length))
        step = random.randint(1, steps)
        first = self._integer(items)
        made = [first + step * place for place in range(length)]
        if made and random.random() < 0.4:
            made[random.randrange(length // 2, length)] = self._integer(items)
        return made

    def _rows(self, rows: list[Any], rules: SequenceRules, length: int, size: int) -> list[Any]:
        lengths = {len(row) for row in rows}
        length = max(3, length)
        if rules.square:
            width = length
        elif len(lengths) == 1:
            (width,) = lengths
        else:
            width = self._random.randint(3, 6)
        cells = [cell for row in rows for cell in row]
        row_rules = self.rules_of(rows)
        same_width = len(lengths) == 1 and not rules.square
        by_column = [[row[k] for row in rows] for k in range(width)] if same_width else None
        made = []
        for _ in range(length):
            row = []
            for column in range(width):
                samples = by_column[column] if by_column is not None else cells
                row.append(self.value(self._random.choice(samples), samples, max(2, size // 4)))
            if row_rules.ascending or row_rules.descending:
                row = sorted_by(row, row_rules)
            made.append(type(rows[0])(row))
        return made


def _is_graph(samples: list[dict[Any, Any]]) -> bool:
    """Returns whether all values of all dicts are containers of keys of the same dict."""
    filled = [each for each in samples if each]
    return all(
        isinstance(item, list | tuple | set | dict) and all(part in each for part in _hashable(item))
        for each in filled
        for item in each.values()
    ) and any(item for each in filled for item in each.values())


def _hashable(container: Any) -> list[Any]:
    """Returns the members of a container; one that cannot be a key is None."""
    return [None if isinstance(part, list | dict | set) else part for part in container]


def sorted_by(members: list[Any], rules: SequenceRules) -> list[Any]:
    """Returns members in the order of the rules, or as they are if they cannot be compared."""
    try:
        return sorted(members, reverse=not rules.ascending)
    except TypeError:
        return members
