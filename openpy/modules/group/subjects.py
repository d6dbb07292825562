"""Whose groups are asked for: the first argument of the functions of group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from openpy.engine.module import ArgumentError
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, cached_uri


class Subject(NamedTuple):
    """A user of a domain."""

    user: str
    domain: str


Find: TypeAlias = Callable[[Run], Subject | None]
"""Who it is in a run; None where nobody is."""


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """One of the words below in any case, or an AVP that holds a URI."""

    description: str = "Request-URI, To, From, Credentials, or an AVP such as $avp(s:uri)"

    def convert(self, text: str, environment: Any) -> Find:
        """Convert to what finds the user; raises ArgumentError."""
        find = _WORDS.get(text.lower())
        if find is not None:
            return find
        if not text.startswith("$avp("):
            raise ArgumentError(f'"{text}" is nobody; write {self.description}')
        avp = NamedAvp(text)
        return lambda run: _of_text(avp.read(run))


def _of_uri(uri: Uri) -> Subject | None:
    """The user of a SIP URI, or the number of a TEL URI, which has no domain."""
    user = uri.subscriber
    return Subject(user, uri.host if uri.is_sip else "") if user else None


def _of_text(text: object) -> Subject | None:
    try:
        return _of_uri(cached_uri(text)) if isinstance(text, str) else None
    except RemoteError:
        return None


def _request_uri(run: Run) -> Subject | None:
    return _of_text(run.uri)


def _to(run: Run) -> Subject | None:
    try:
        return _of_uri(run.message.to.uri)
    except RemoteError:
        return None


def _from(run: Run) -> Subject | None:
    try:
        return _of_uri(run.message.from_.uri)
    except RemoteError:
        return None


def _credentials(run: Run) -> Subject | None:
    """Who was authenticated: the user without a domain, and the realm."""
    right = run.state.credentials
    return Subject(right.user, right.realm) if right is not None and right.user else None


_WORDS: dict[str, Find] = {
    "request-uri": _request_uri,
    "to": _to,
    "from": _from,
    "credentials": _credentials,
}
