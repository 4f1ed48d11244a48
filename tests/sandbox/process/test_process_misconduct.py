"""Hostile code that abuses its own process or channel affects neither the server nor other processes."""

from dataclasses import dataclass

import pytest

from codegym_mcp.errors import (
    BrokenContractError,
    CodegymError,
    EnvironmentFaultError,
    LimitError,
    WorkerLostError,
)
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from tests.sandbox.raw_code import AttackedPools, open_worker, program

FRAME = """
def frame(text):
    return struct.pack("<I", len(text)) + text
"""
OWN_WORDS = """
channel().sendall(frame(b'[1,"ok",{"escaped":"own words"}]'))
while True:
    pass
"""


@dataclass(frozen=True)
class Misconduct:
    """What the code does, and how the call ends for the server."""

    name: str
    code: str
    ends_as: type[CodegymError]
    said: str = ""
    seconds: float = 5

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


GARBAGE = "not a frame of the protocol"
NO_MESSAGE = "not a message of the protocol"
ENDED = "ended unexpectedly"

MISCONDUCT = [
    Misconduct("send garbage", "channel().sendall(b'\\xff' * 100)", WorkerLostError, GARBAGE),
    Misconduct("frame garbage", "channel().sendall(frame(b'\\xff\\x00'))", WorkerLostError, GARBAGE),
    Misconduct("send an empty frame", "channel().sendall(frame(b''))", WorkerLostError, GARBAGE),
    Misconduct(
        "announce too much", "channel().sendall(struct.pack('<I', (1 << 20) + 1))", WorkerLostError, GARBAGE
    ),
    Misconduct("send no list", "channel().sendall(frame(b'{}'))", WorkerLostError, GARBAGE),
    Misconduct("send infinity", "channel().sendall(frame(b'[1,\"ok\",1e999]'))", WorkerLostError, GARBAGE),
    Misconduct("nest raw", "channel().sendall(frame(b'[' * 100000))", WorkerLostError, GARBAGE),
    Misconduct(
        "answer another request", "channel().sendall(frame(b'[7,\"ok\",1]'))", WorkerLostError, NO_MESSAGE
    ),
    Misconduct("answer with an unknown word", "channel().sendall(frame(b'[1,\"won\",1]'))", WorkerLostError),
    Misconduct("answer with too little", "channel().sendall(frame(b'[1]'))", WorkerLostError, NO_MESSAGE),
    Misconduct(
        "call as the oracle does", 'channel().sendall(frame(b\'[1,"call","go",{}]\'))', WorkerLostError
    ),
    Misconduct(
        "answer without end",
        "while True: channel().sendall(frame(b'[0,\"ok\",1]'))",
        WorkerLostError,
    ),
    Misconduct("close its socket by force", "channel().detach(); os._exit(1)", WorkerLostError, ENDED),
    Misconduct("exit at once", "os._exit(0)", WorkerLostError, ENDED),
    Misconduct("raise an exit", "raise SystemExit", WorkerLostError, ENDED),
    Misconduct("crash", "ctypes.string_at(0)", WorkerLostError, ENDED),
    # From Python 3.12 on, the interpreter notices in time.
    Misconduct(
        "overflow the stack",
        """
        sys.setrecursionlimit(10**9)
        nested = []
        for _ in range(10**5):
            nested = [nested]
        repr(nested)
        """,
        CodegymError,
    ),
    Misconduct(
        "recurse",
        "deeper = lambda: deeper(); deeper()",
        EnvironmentFaultError,
        "RecursionError",
    ),
    Misconduct(
        "nest a hundred thousand lists",
        """
        nested = []
        for _ in range(100000):
            nested = [nested]
        return nested
        """,
        BrokenContractError,
        "not JSON",
    ),
    Misconduct("return too much", "return 'x' * (2 << 20)", LimitError, "too large"),
    Misconduct("return no JSON", "return float('nan')", BrokenContractError, "not JSON"),
    Misconduct(
        "take all memory and go on",
        """
        global taken
        taken = []
        while True:
            try:
                taken.append(bytearray(1 << 16))
            except MemoryError:
                pass
        """,
        LimitError,
        "0.2 seconds",
        seconds=0.2,
    ),
    Misconduct(
        "begin a frame and stop",
        "channel().sendall(b'\\x09'); loop()",
        LimitError,
        "0.2 seconds",
        seconds=0.2,
    ),
    Misconduct("swallow every exception", "loop()", LimitError, "0.2 seconds", seconds=0.2),
]
LOOP = """
def loop():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


@pytest.mark.parametrize("misconduct", MISCONDUCT, ids=str)
async def test_misconduct_ends_the_call_and_does_not_affect_other_processes(
    misconduct: Misconduct, pools: AttackedPools
) -> None:
    attacked = await pools.without(())
    raw = program(misconduct.code, before=FRAME + LOOP)
    worker = await open_worker(attacked.pool, raw)
    try:
        with pytest.raises(misconduct.ends_as) as raised:
            await worker.call("go", {}, seconds=misconduct.seconds)
    finally:
        worker.kill()
        await worker.ended()
    assert misconduct.said in str(raised.value)
    assert await attacked.neighbour_still_works()


async def test_a_forged_reply_with_the_right_number_is_accepted(pools: AttackedPools) -> None:
    """The control: what is refused above is refused for what it is, not for how it was sent."""
    attacked = await pools.without(())
    worker = await open_worker(attacked.pool, program(OWN_WORDS, before=FRAME))
    assert await worker.call("go", {}, seconds=5) == {"escaped": "own words"}
    worker.kill()


async def test_a_reply_sent_twice_does_not_answer_the_next_request(pools: AttackedPools) -> None:
    attacked = await pools.without(())
    twice = 'channel().sendall(frame(b\'[1,"ok","forged"]\'))'
    worker = await open_worker(attacked.pool, program(twice, before=FRAME))
    assert await worker.call("go", {}, seconds=5) == "forged"
    with pytest.raises(WorkerLostError, match=NO_MESSAGE):
        await worker.call("count", {}, seconds=5)


async def test_printed_text_is_discarded(pools: AttackedPools) -> None:
    attacked = await pools.without(())
    printed = "return sum(os.write(1 + i % 2, b'x' * (1 << 20)) for i in range(1024))"
    worker = await open_worker(attacked.pool, program(printed))
    assert await worker.call("go", {}, seconds=10) == {"escaped": 1 << 30}
    worker.kill()
    assert await attacked.neighbour_still_works()


@pytest.mark.parametrize(
    ("without", "met"),
    [((), {"refused": "EPERM"}), ((Layer.SECCOMP,), None)],
    ids=["confined", "without-seccomp"],
)
async def test_closing_the_channel_is_refused_and_would_end_the_process(
    without: tuple[Layer, ...], met: object, pools: AttackedPools
) -> None:
    attacked = await pools.without(without)
    worker = await open_worker(attacked.pool, program("os.close(channel().fileno())"))
    if met is None:
        with pytest.raises(WorkerLostError):
            await worker.call("go", {}, seconds=5)
    else:
        assert await worker.call("go", {}, seconds=5) == met
        worker.kill()
    assert await attacked.neighbour_still_works()


async def test_an_environment_that_exits_when_it_is_loaded_is_lost(pools: AttackedPools) -> None:
    attacked = await pools.without(())
    with pytest.raises(WorkerLostError, match=ENDED):
        await open_worker(attacked.pool, program("pass", before="os._exit(0)"))
    assert await attacked.neighbour_still_works()
