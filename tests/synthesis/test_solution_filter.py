import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.synthesis.solution_filter import MAX_CHARACTERS, MAX_LINES, find_solution_defect

USABLE = {
    "a function": "def double(n):\n    return 2 * n\n",
    "a lambda": "double = lambda n: 2 * n\n",
    "a class": "class Stack:\n    def pop(self):\n        return self.items[-1]\n",
    "a function shown at work": "def double(n):\n    return 2 * n\n\nprint(double(4))\n",
    "one run by hand": (
        "import sys\n\ndef double(n):\n    return 2 * n\n\n"
        'if __name__ == "__main__":\n    print(double(int(input())))\n    sys.exit(0)\n'
    ),
    "a name of its own": "def first(input):\n    print(input)\n    return input[0]\n",
    "the largest integer": "import sys\n\ndef least(a):\n    return min(a, default=sys.maxsize)\n",
    "one that changes its argument": "def swap(a, i, j):\n    a[i], a[j] = a[j], a[i]\n",
    "an odd escape": "import re\ndef digits(text):\n    return re.findall('\\d', text)\n",
}
REFUSED = {
    "def f(:\n    return 1": "not valid Python",
    "def f(n):\nreturn n": "line 2",
    "print 'hello'": "not valid Python",
    "#include <vector>\nint main() { return 0; }": "not in Python",
    "public class Main {\n  public static void main(String[] a) {}\n}": "not in Python",
    "function f(n) {\n  return n * 2\n}": "not in Python",
    "fn f(n: i32) -> i32 { n * 2 }": "not in Python",
    "def f(n)\n  n * 2\nend": "not in Python",
    "import java.util.List;\nclass A { int f() { return 1; } }": "not in Python",
    "f :: Int -> Int\nf n = n * 2": "not in Python",
    "SELECT name FROM people": "not in Python",
    "Sort the numbers and count them.": "prose",
    "Sorting": "prose",
    "sort, count": "prose",
    "# only a remark": "prose",
    "x = 1": "no function",
    "n = int(input())\nprint(n * 2)": "reads its input with input",
    "def main():\n    n = int(input())\n    print(n)\nmain()": "reads its input with input",
    "import sys\ndef f():\n    return sys.stdin.read()": "reads its input with sys.stdin",
    "from sys import stdin\ndef f():\n    return stdin.read()": "reads its input with sys.stdin",
    "print(sum(range(10)))": "prints its result",
    "def f(n):\n    print(n * 2)": "prints its result",
    "import os\ndef f(n):\n    return os.environ": "side effects: it uses os",
    "import os.path as p\ndef f(n):\n    return p.exists(n)": "side effects: it uses os.path",
    "from subprocess import run\ndef f(n):\n    return run(n)": "side effects: it uses subprocess",
    "import sys\ndef f(n):\n    sys.exit(n)": "side effects: it uses sys.exit",
    "def f(n):\n    return open(n).read()": "side effects: it uses open",
    "def f(n):\n    return eval(n)": "side effects: it uses eval",
    "def f(n):\n    return __import__('o' + 's')": "side effects: it uses __import__",
    "def f(n):\n    return 1\n" + "\n" * 10_000: "10,003 lines long",
    f"x = {'1' * MAX_CHARACTERS}": "characters long",
    "def f(n):\n    return " + "(" * 5_000 + "n" + ")" * 5_000: "not valid Python",
    "def f(n):\n    return 1\0": "null character",
}


@pytest.mark.parametrize("code", USABLE.values(), ids=USABLE)
def test_a_function_without_side_effects_is_usable(code: str) -> None:
    assert find_solution_defect(code) is None


@pytest.mark.parametrize(("code", "reason"), REFUSED.items(), ids=[repr(code[:40]) for code in REFUSED])
def test_an_unusable_solution_is_refused_with_the_reason(code: str, reason: str) -> None:
    assert reason in (find_solution_defect(code) or "")


def test_the_longest_allowed_solution_is_usable() -> None:
    lines = ["def f(n):", *["    n += 1"] * (MAX_LINES - 2), "    return n"]
    assert find_solution_defect("\n".join(lines)) is None
    assert find_solution_defect("\n".join([*lines, "# one more"])) is not None


@given(st.one_of(st.text(), st.from_regex(r"(def|if|for|import|x|=|\(|\)|:|\n| )*", fullmatch=True)))
def test_any_text_is_usable_or_refused_in_a_sentence(code: str) -> None:
    reason = find_solution_defect(code)
    assert reason is None or reason.endswith(".")
