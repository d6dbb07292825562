"""The core functions that rewrite the Request-URI and set the next hop (openser 1.3 core, `action`)."""

from __future__ import annotations

from openpy.engine.corefunction import core_function
from openpy.engine.parameters import NumberKind, TextKind
from openpy.engine.requesturi import change, rewrite
from openpy.engine.run import Run
from openpy.script.environment import Function
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri

# --- the Request-URI ----------------------------------------------------------------------------------------


def rewriteuri(run: Run, text: str) -> int:
    """Replace the whole Request-URI; -1 for one of more than 1024 bytes, as in all functions that rewrite it."""
    return _code(rewrite(run, text))


def revert_uri(run: Run) -> int:
    """Go back to the received Request-URI."""
    run.state.uri = None
    return 1


def rewritehost(run: Run, host: str) -> int:
    """Replace the host; user, port and parameters stay. A tel: URI becomes the SIP URI of its number there."""
    return _code(change(run, lambda uri: uri.with_host(host, uri.port)))


def rewritehostport(run: Run, text: str) -> int:
    """Replace host and port."""
    host, port = _host_port(text)
    return _code(change(run, lambda uri: uri.with_host(host, port)))


def rewriteport(run: Run, port: str) -> int:
    """Replace the port."""
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        return -1
    return _code(change(run, lambda uri: _with_port(uri, int(port))))


def rewriteuser(run: Run, user: str) -> int:
    """Replace the user; a password stays. The user of a tel: URI is its number."""
    return _code(change(run, lambda uri: uri.with_user(user or None)))


def rewriteuserpass(run: Run, text: str) -> int:
    """Replace user and password: `user:password`."""
    user, colon, password = text.partition(":")
    if not colon:
        return _code(change(run, lambda uri: _with_password(uri.with_user(user or None), None)))
    return _code(change(run, lambda uri: _with_password(uri.with_user(user or None), password)))


def prefix(run: Run, text: str) -> int:
    """Put text before the user."""
    return _code(change(run, lambda uri: uri.with_user(text + uri.subscriber)))


def strip(run: Run, count: int) -> int:
    """Remove characters from the user's start."""
    return _code(change(run, lambda uri: uri.with_user(_shorter(run, uri, count)[count:] or None)))


def strip_tail(run: Run, count: int) -> int:
    """Remove characters from the user's end."""

    def shorten(uri: Uri) -> Uri:
        user = _shorter(run, uri, count)
        return uri.with_user(user[: max(0, len(user) - count)] or None)

    return _code(change(run, shorten))


def _shorter(run: Run, uri: Uri, count: int) -> str:
    """The user who is to become shorter."""
    user = uri.subscriber
    if count > len(user):
        run.warn(f"stripping {count} characters of the user {user!r}, which has {len(user)}")
    return user


def _with_port(uri: Uri, port: int) -> Uri:
    if not uri.is_sip:
        raise RemoteError(400, "The URI has no port")
    return uri.with_host(uri.host, port)


def _with_password(uri: Uri, password: str | None) -> Uri:
    return uri.with_password(password) if uri.user else uri


def _host_port(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and not host.endswith(":"):
        return host, int(port)
    return text, None


# --- the next hop -------------------------------------------------------------------------------------------


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


def _code(done: bool) -> int:
    return 1 if done else -1


URI_FUNCTIONS: tuple[Function, ...] = (
    *(
        core_function(call, TextKind())
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
    *(core_function(call, NumberKind(0)) for call in (strip, strip_tail)),
    *(core_function(call) for call in (revert_uri, resetdsturi, isdsturiset)),
)
