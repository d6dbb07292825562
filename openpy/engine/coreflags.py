"""The core functions for flags of the message, the script and the branches (openser 1.3 core, `flags`)."""

from __future__ import annotations

from collections.abc import Callable

from openpy.engine.corefunction import core_function
from openpy.engine.flags import FlagKind
from openpy.engine.parameters import NumberKind
from openpy.engine.run import Run
from openpy.script.environment import Function

FLAG = FlagKind()
BRANCH = NumberKind(0, 11, "a branch number")


def setflag(run: Run, flag: int) -> int:
    """Set a message flag, which the transaction keeps."""
    run.state.flags |= 1 << flag
    return 1


def resetflag(run: Run, flag: int) -> int:
    """Clear a message flag."""
    run.state.flags &= ~(1 << flag)
    return 1


def isflagset(run: Run, flag: int) -> int:
    """Test a message flag: 1 or -1."""
    return 1 if run.state.flags >> flag & 1 else -1


def setsflag(run: Run, flag: int) -> int:
    """Set a script flag, cleared before each top-level route."""
    run.script_flags |= 1 << flag
    return 1


def resetsflag(run: Run, flag: int) -> int:
    """Clear a script flag."""
    run.script_flags &= ~(1 << flag)
    return 1


def issflagset(run: Run, flag: int) -> int:
    """Test a script flag: 1 or -1."""
    return 1 if run.script_flags >> flag & 1 else -1


def setbflag(run: Run, branch: int, flag: int) -> int:
    """Set a branch flag; -1 where there is no such branch. Branch 0 is the Request-URI."""
    return _change_branch_flags(run, branch, lambda flags: flags | 1 << flag)


def resetbflag(run: Run, branch: int, flag: int) -> int:
    """Clear a branch flag."""
    return _change_branch_flags(run, branch, lambda flags: flags & ~(1 << flag))


def isbflagset(run: Run, branch: int, flag: int) -> int:
    """Test a branch flag: 1 or -1."""
    if branch > len(run.state.branches):
        return -1
    flags = run.state.branch_flags if branch == 0 else run.state.branches[branch - 1].flags
    return 1 if flags >> flag & 1 else -1


def _change_branch_flags(run: Run, branch: int, change: Callable[[int], int]) -> int:
    if branch > len(run.state.branches):
        return -1
    if branch == 0:
        run.state.branch_flags = change(run.state.branch_flags)
    else:
        entry = run.state.branches[branch - 1]
        entry.flags = change(entry.flags)
    return 1


def _branch_flag_function(call: Callable[[Run, int, int], int]) -> Function:
    """`f(branch, flag)`, and `f(flag)` for branch 0."""

    def first_branch(run: Run, flag: int) -> int:
        return call(run, 0, flag)

    first_branch.__doc__ = call.__doc__
    alone = core_function(first_branch, FLAG, name=call.__name__)
    return core_function(call, BRANCH, FLAG, overload=alone)


FLAG_FUNCTIONS: tuple[Function, ...] = (
    *(
        core_function(call, FLAG)
        for call in (setflag, resetflag, isflagset, setsflag, resetsflag, issflagset)
    ),
    *(_branch_flag_function(call) for call in (setbflag, resetbflag, isbflagset)),
)
