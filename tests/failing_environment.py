"""An environment that cannot judge an answer, so that its episodes have no score."""

FAILING = '''"""A door."""
META = {"title": "Door", "license": "MIT", "source": "original"}
class Environment:
    def __init__(self, code: int):
        self.code = code
    def knock(self) -> bool:
        "Knock."
        return True
def reference(code: int) -> int:
    return 1 // 0
def solve(tools):
    return 1
def generate(random, difficulty):
    return {"code": 1}
'''
