"""The pseudo-variables of who sends a request: `$au`, `$aU`, `$ar`, `$adu`, `$Au` (openser 1.3 core, `pvar`)."""

from __future__ import annotations

from collections.abc import Callable

from openpy.engine.run import Run
from openpy.script.environment import Getter
from openpy.script.values import Value
from openpy.sip.digest import Credentials, parse_credentials
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request

_HEADERS = ("Proxy-Authorization", "Authorization")
_UNCHALLENGED = ("ACK", "CANCEL")
"""Methods whose credentials nobody could have asked for (RFC 3261 22.1)."""


def _credentials(run: Run) -> Credentials | None:
    """The credentials that a request carries, right or not."""
    message = run.message
    if not isinstance(message, Request) or message.method in _UNCHALLENGED:
        return None
    for name in _HEADERS:
        text = message.get(name)
        if text:
            try:
                return parse_credentials(text)
            except RemoteError:
                run.parse_failed(f"{name} header")
                return None
    return None


def _part(read: Callable[[Credentials], str]) -> Getter:
    def get(run: Run) -> Value:
        credentials = _credentials(run)
        return None if credentials is None else read(credentials) or None

    return get


def _account(run: Run) -> Value:
    """`user@realm` of credentials that were found right, else `user@host` of From."""
    right = run.state.credentials
    if right is not None:
        return f"{right.user}@{right.realm}"
    try:
        uri = run.message.from_.uri
    except RemoteError:
        run.parse_failed("From header")
        return None
    if not uri.is_sip:
        return uri.subscriber or None
    return f"{uri.user}@{uri.host}" if uri.user else uri.host


CREDENTIAL_VARIABLES: dict[str, Getter] = {
    "au": _part(lambda credentials: credentials.user),
    "aU": _part(lambda credentials: credentials.username),
    "ar": _part(lambda credentials: credentials.realm),
    "adu": _part(lambda credentials: credentials.uri),
    "Au": _account,
}
