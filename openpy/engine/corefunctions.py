"""The script functions of the core: flags, Request-URI, branches, log (openser 1.3 core, `action`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from openpy.engine.log import ALERT, DEBUG
from openpy.engine.parameters import NumberKind, TextKind
from openpy.engine.run import Branch, Run
from openpy.script.environment import ArgumentError, Environment, Function, Parameter
from openpy.script.syntax import RouteKind
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, parse_uri

MAXIMUM_BRANCHES = 12  # of one destination set, the Request-URI included

ALL = frozenset(RouteKind)
_FLAG = NumberKind(0, 31, "a flag number, 0 to 31")
_TEXT = TextKind()


@dataclass(frozen=True, slots=True)
class QualityKind:
    """A q value: 0 to 1 with at most three decimals; converted to thousandths."""

    description: str = "a q value"

    def convert(self, text: str, environment: Environment) -> int:
        """Convert; raises ArgumentError."""
        try:
            value = round(float(text) * 1000)
        except ValueError:
            value = -1
        if not 0 <= value <= 1000 or len(text.partition(".")[2]) > 3:
            raise ArgumentError(f'bad argument, q value expected: "{text}"')
        return value


# --- flags --------------------------------------------------------------------------------------------------


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


# --- the Request-URI ----------------------------------------------------------------------------------------


def _rewrite(run: Run, change: Callable[[Uri], Uri]) -> int:
    try:
        run.state.uri = str(change(parse_uri(run.uri)))
    except RemoteError:
        return -1
    return 1


def rewriteuri(run: Run, text: str) -> int:
    """Replace the whole Request-URI."""
    run.state.uri = text
    return 1


def revert_uri(run: Run) -> int:
    """Go back to the received Request-URI."""
    run.state.uri = None
    return 1


def rewritehost(run: Run, host: str) -> int:
    """Replace the host; user, port and parameters stay."""
    return _rewrite(run, lambda uri: uri.with_host(host, uri.port))


def rewritehostport(run: Run, text: str) -> int:
    """Replace host and port."""
    host, port = _host_port(text)
    return _rewrite(run, lambda uri: uri.with_host(host, port))


def rewriteport(run: Run, port: str) -> int:
    """Replace the port."""
    return _rewrite(run, lambda uri: uri.with_host(uri.host, int(port))) if port.isdigit() else -1


def rewriteuser(run: Run, user: str) -> int:
    """Replace the user; a password stays."""
    return _rewrite(run, lambda uri: uri.with_user(user))


def rewriteuserpass(run: Run, text: str) -> int:
    """Replace user and password: `user:password`."""
    user, colon, password = text.partition(":")
    return _rewrite(run, lambda uri: uri.with_user(user).with_password(password if colon else None))


def prefix(run: Run, text: str) -> int:
    """Put text before the user."""
    return _rewrite(run, lambda uri: uri.with_user(text + (uri.user or "")))


def strip(run: Run, count: int) -> int:
    """Remove characters from the user's start."""
    return _rewrite(run, lambda uri: uri.with_user((uri.user or "")[count:] or None))


def strip_tail(run: Run, count: int) -> int:
    """Remove characters from the user's end."""

    def shorten(uri: Uri) -> Uri:
        user = uri.user or ""
        return uri.with_user(user[: max(0, len(user) - count)] or None)

    return _rewrite(run, shorten)


def setdsturi(run: Run, text: str) -> int:
    """Set the next hop, independent of the Request-URI."""
    run.state.destination_uri = text
    return 1


def resetdsturi(run: Run) -> int:
    """Clear the next hop."""
    run.state.destination_uri = ""
    return 1


def isdsturiset(run: Run) -> int:
    """Test for a next hop: 1 or -1."""
    return 1 if run.state.destination_uri else -1


def append_branch(run: Run, uri: str = "", q: int = -1) -> int:
    """Append a branch: a URI, or the current Request-URI with its next hop and flags; -1 where all 12 are taken."""
    state = run.state
    if len(state.branches) >= MAXIMUM_BRANCHES - 1:
        return -1
    if uri:
        state.branches.append(Branch(uri, q=q))
    else:
        state.branches.append(Branch(run.uri, state.destination_uri, q, state.branch_flags))
        state.destination_uri = ""
        state.branch_flags = 0
    return 1


def _host_port(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and not host.endswith(":"):
        return host, int(port)
    return text, None


# --- the rest -----------------------------------------------------------------------------------------------


def log(run: Run, text: str) -> int:
    """Write plain text to the log at level 4 (debug)."""
    run.server.log.write(DEBUG, "script", text)
    return 1


def log_at_level(run: Run, level: int, text: str) -> int:
    """Write plain text to the log at a level."""
    run.server.log.write(level, "script", text)
    return 1


def setdebug(run: Run, level: int | None = None) -> int:
    """Set the log level, or go back to that of the `debug` parameter."""
    configured = run.server.config.number("debug")
    run.server.log.level = configured if level is None else max(ALERT, min(DEBUG, level))
    return 1


def _function(call: Callable[..., int], *parameters: Any, optional: int = 0) -> Function:
    required = len(parameters) - optional
    return Function(
        call.__name__,
        tuple(Parameter(f"p{n + 1}", kind, n >= required) for n, kind in enumerate(parameters)),
        ALL,
        call,
        doc=call.__doc__ or "",
    )


def _branch_flag_function(call: Callable[[Run, int, int], int]) -> Function:
    """`f(branch, flag)`, and `f(flag)` for branch 0."""
    both = _function(call, NumberKind(0, MAXIMUM_BRANCHES - 1, "a branch number"), _FLAG)

    def first_branch(run: Run, flag: int) -> int:
        return call(run, 0, flag)

    return replace(both, overload=replace(_function(first_branch, _FLAG), name=both.name, doc=both.doc))


CORE_FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        *(
            _function(call, _FLAG)
            for call in (setflag, resetflag, isflagset, setsflag, resetsflag, issflagset)
        ),
        *(_branch_flag_function(call) for call in (setbflag, resetbflag, isbflagset)),
        *(
            _function(call, _TEXT)
            for call in (
                rewriteuri,
                rewritehost,
                rewritehostport,
                rewriteport,
                rewriteuser,
                rewriteuserpass,
                prefix,
                setdsturi,
            )
        ),
        *(_function(call, NumberKind(0)) for call in (strip, strip_tail)),
        *(_function(call) for call in (revert_uri, resetdsturi, isdsturiset)),
        _function(append_branch, _TEXT, QualityKind(), optional=2),
        replace(
            _function(log, _TEXT), overload=replace(_function(log_at_level, NumberKind(), _TEXT), name="log")
        ),
        _function(setdebug, NumberKind(), optional=1),
    )
}
