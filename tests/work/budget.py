"""The budgets: what an operation may cost, and how much memory may be kept, as budget.toml has them.

Rules:
1. A figure may be over its budget by `SLACK`: other versions of libraries call a little more or less.
2. A budget that is higher than the figure by more than `GENEROUS` is to be lowered: what was gained must not be lost.
3. Calls are counted of the interpreter only: in a compiled module they cannot be seen.
4. They are those of one version of Python. Another may make fewer (it does a comprehension without a call).
"""

from __future__ import annotations

import gc
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from openpy.sip import message
from tests.work.house import House
from tests.work.memory import kept
from tests.work.operations import costs

PATH = Path(__file__).with_name("budget.toml")

SLACK = 0.03
GENEROUS = 0.06

MEASURED_WITH = (3, 11)

Figures = Mapping[str, Mapping[str, float]]
"""By operation and kind of work; the memory stands under `bytes`."""

HEAD = """\
# What one operation may cost, and how many bytes may be kept for one of each thing. `python -m tests.work` prints what
# they are now, and `python -m tests.work --write` writes that here.
#
# python, builtin: calls of functions that are written in Python, and of others, until the transaction is gone.
# statements, commits: of 32 requests that come at once (of one change, where it is told to many watchers).
"""


def are_calls_seen() -> bool:
    """Whether the package is interpreted, so that calls can be counted."""
    return str(message.__file__).endswith(".py")


def measured() -> dict[str, dict[str, float]]:
    """What everything costs now."""
    with tempfile.TemporaryDirectory(prefix="openpy-work-") as folder:
        house = House(Path(folder))
        found = counted(house)
        found["bytes"] = {name: float(size) for name, size in kept(house).items()}
        house.close()
    return found


def counted(house: House) -> dict[str, dict[str, float]]:
    """What each operation costs in a house, as far as it can be seen."""
    gc.collect()  # else what earlier tests have left is ended while this counts
    found = {name: asdict(cost) for name, cost in costs(house).items()}
    if not are_calls_seen():
        for figures in found.values():
            del figures["python"], figures["builtin"]
    return found


def read(path: Path = PATH) -> dict[str, dict[str, float]]:
    """The budgets."""
    with path.open("rb") as file:
        return tomllib.load(file)


def write(figures: Figures, path: Path = PATH) -> None:
    """Make these the budgets."""
    lines = [HEAD]
    for name, work in figures.items():
        lines += [f"[{name}]", *(f"{kind} = {value:g}" for kind, value in work.items()), ""]
    path.write_text("\n".join(lines))


def too_much(figures: Figures, budgets: Figures) -> list[str]:
    """What is over its budget, or has none."""
    return [
        f"{name}: {kind} {value:g}, and the budget is {budgets.get(name, {}).get(kind, 0):g}"
        for name, work in figures.items()
        for kind, value in work.items()
        if value > budgets.get(name, {}).get(kind, 0) * (1 + SLACK)
    ]


def too_generous(figures: Figures, budgets: Figures) -> list[str]:
    """Which budgets could be lower."""
    return [
        f"{name}: {kind} {value:g}, and the budget is {budgets[name][kind]:g}"
        for name, work in figures.items()
        for kind, value in work.items()
        if value < budgets.get(name, {}).get(kind, 0) * (1 - GENEROUS)
        and (kind not in ("python", "builtin") or sys.version_info[:2] == MEASURED_WITH)
    ]
