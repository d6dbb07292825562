"""`python -m tests.work.play call 640`: so many operations in virtual time, for a profiler to look at.

Under valgrind the figures are the same on a busy machine. Of the compiled build, in build/compiled:

    PYTHONHASHSEED=0 PYTHONPATH=. valgrind --tool=callgrind --callgrind-out-file=calls --collect-atstart=no \\
      --toggle-collect='CPyDef_udp___UdpSocket____readable' ../../.venv/bin/python -m tests.work.play call 640
    callgrind_annotate --inclusive=yes --threshold=100 calls
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import steps
from bench.generator import Step
from bench.messages import Call, Phone, Sender
from tests.work.house import House

BURST = 32


def _options(sender: Sender, number: int) -> Iterator[Iterator[Step]]:
    yield (steps.options(sender, each) for each in range(number))


def _register(sender: Sender, number: int) -> Iterator[Iterator[Step]]:
    """A new contact, and the same again."""
    phones = [Phone(sender, f"phone{each}") for each in range(number)]
    yield map(steps.register, phones)
    yield map(steps.register, phones)


def _call(sender: Sender, number: int) -> Iterator[Iterator[Step]]:
    """INVITE to ACK, then BYE."""
    calls = [Call(sender, f"caller{each}") for each in range(number)]
    yield (steps.call(each, lambda _: None) for each in calls)
    yield map(steps.hang_up, calls)


OPERATIONS: dict[str, Callable[[Sender, int], Iterator[Iterator[Step]]]] = {
    "options": _options,
    "register": _register,
    "call": _call,
}


def play(house: House, operation: str, number: int) -> None:
    """Do an operation so often, without garbage collection, which would count for whom it interrupts."""
    gc.collect()
    gc.disable()
    try:
        for phase in OPERATIONS[operation](house.sender, number):
            for burst in steps.bursts(phase, BURST):
                house.play(burst)
    finally:
        gc.enable()


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m tests.work.play", description=__doc__.partition("\n")[0])
    parser.add_argument("operation", choices=OPERATIONS)
    parser.add_argument("number", type=int)
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            play(house, options.operation, options.number)
        finally:
            house.close()


if __name__ == "__main__":
    main()
