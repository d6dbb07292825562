"""Whose preferences: the first argument of `avp_db_load`, `avp_db_store` and `avp_db_delete`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from openpy.engine.avps import bare_name
from openpy.engine.module import ArgumentError, Getter, PseudoVariableKind
from openpy.engine.run import Run
from openpy.modules.avpops.operands import split_name
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

URIS = frozenset(("ru", "ruri", "fu", "from", "tu", "to", "ou", "ouri"))
"""The pseudo-variables that are URIs: with these a user is found by name, unless something else is written."""

PARTS = ("username", "domain", "uri", "uuid")


class Owner(NamedTuple):
    """Who owns rows: what is to be compared with the columns; None: that column does not count."""

    uuid: str | None = None
    username: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class OwnerSource:
    """Where an owner comes from: a value, and which part of it counts (one of PARTS)."""

    text: str
    get: Getter
    part: str

    def owner(self, run: Run, use_domain: bool) -> Owner | None:
        """The owner for a run; None where there is no value, or a URI is wanted and it is none with user and host.

        The domain counts with `use_domain`, or where nothing else shall.
        """
        value = self.get(run)
        if value is None or value == "":
            return None
        if self.part == "uuid":
            return Owner(uuid=str(value))
        try:
            uri = cached_uri(str(value))
        except RemoteError:
            return None
        if not uri.is_sip or not uri.user or not uri.host:
            return None
        return Owner(
            username=None if self.part == "domain" else uri.user,
            domain=uri.host if self.part == "domain" or (self.part == "uri" and use_domain) else None,
        )


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A pseudo-variable or a text, and a part of it."""

    description: str = "whose: a pseudo-variable or a text [/username|/domain|/uri|/uuid]"

    def convert(self, text: str, environment: Any) -> OwnerSource:
        """Convert; raises ArgumentError."""
        get, named, rest = _variable(text, environment) if text.startswith("$") else _constant(text)
        part = rest[1:].lower() if rest else "uri" if named in URIS else "uuid"
        if part not in PARTS:
            raise ArgumentError(
                f'"/{part}" is no part of a user: there are {", ".join(f"/{name}" for name in PARTS)}'
            )
        return OwnerSource(text, get, part)


def _variable(text: str, environment: Any) -> tuple[Getter, str, str]:
    """What gives the value, the name of the pseudo-variable, and what follows it."""
    named, part = split_name(text)
    rest = f"/{part}" if len(text) > len(named) else ""
    return PseudoVariableKind().convert(named, environment), bare_name(named), rest


def _constant(text: str) -> tuple[Getter, str, str]:
    named, slash, part = text.partition("/")
    if not named:
        raise ArgumentError(f'"{text}" names nobody')
    return lambda run: named, "", slash + part


Source = Annotated[OwnerSource, SourceKind()]
