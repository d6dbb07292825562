"""When a rule applies: the conditions of RFC 4745 section 7, and two of OMA's.

Rules:
1. Every condition of a rule must hold; a rule without conditions applies to everybody.
2. A condition that we do not know never holds. As the highest of all applying rules wins, a rule that does not
   apply grants nothing, so what we cannot judge stays closed.
3. Identities are compared as addresses-of-record; `sip`, `sips`, `pres` and `im` name the same one. A watcher
   who is anonymous or was not authenticated has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from lxml import etree

from openpy.documents.xml import DocumentError
from openpy.sip.errors import RemoteError
from openpy.sip.uri import parse_uri, unescape

_ANONYMOUS_DOMAIN = "anonymous.invalid"
_END_OF_DAY = re.compile(r"T24:00:00(?:\.0+)?(?![0-9.])")
_VISUAL = str.maketrans("", "", "-.()")


class Identity(NamedTuple):
    """Who somebody is: the canonical URI, and its domain in lower case ("" for a `tel` URI and the like)."""

    uri: str
    domain: str


class Circumstances(NamedTuple):
    """What rules are judged by: the watcher (None: anonymous), the time (seconds since 1970), the sphere.

    `named` says that the identity condition of some rule holds for the watcher.
    """

    watcher: Identity | None
    now: float
    sphere: str | None
    named: bool = False


class Condition(Protocol):
    """One condition of a rule."""

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether it is fulfilled."""


def identity(uri: str) -> Identity | None:
    """Who a URI names; None for what is no URI, and for an anonymous one (RFC 3323)."""
    try:
        parsed = parse_uri(uri)
        if parsed.scheme in ("pres", "im"):
            parsed = parse_uri("sip:" + parsed.host)
    except RemoteError:
        return None
    if parsed.is_sip:
        domain = parsed.host.lower()
        return None if domain == _ANONYMOUS_DOMAIN else Identity(parsed.aor(), domain)
    rest = parsed.host
    if parsed.scheme == "tel":
        rest = unescape(rest).lower().translate(_VISUAL)
    return Identity(f"{parsed.scheme}:{rest}", "")


class Many(NamedTuple):
    """Every identity, or every one of a domain, but for some (RFC 4745 section 7.1.3)."""

    domain: str | None
    except_ids: frozenset[str]
    except_domains: frozenset[str]

    def includes(self, watcher: Identity) -> bool:
        """Whether the watcher is one of them."""
        if self.domain is not None and self.domain != watcher.domain:
            return False
        return watcher.uri not in self.except_ids and watcher.domain not in self.except_domains


class Identities(NamedTuple):
    """The watcher is one of these (RFC 4745 section 7.1)."""

    ones: frozenset[str]
    manys: tuple[Many, ...]

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether the watcher is named here."""
        watcher = circumstances.watcher
        if watcher is None:
            return False
        return watcher.uri in self.ones or any(many.includes(watcher) for many in self.manys)


class Sphere(NamedTuple):
    """The presentity is in this sphere, such as `work` (RFC 4745 section 7.2)."""

    value: str

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether it is; never if the sphere is unknown."""
        return circumstances.sphere == self.value


class Validity(NamedTuple):
    """It is the time for the rule: one of these intervals, without their ends (RFC 4745 section 7.3)."""

    intervals: tuple[tuple[float, float], ...]

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether now is within one of them."""
        return any(start <= circumstances.now < end for start, end in self.intervals)


class Anonymous(NamedTuple):
    """The watcher did not say who he is (OMA `anonymous-request`)."""

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether the watcher has no identity."""
        return circumstances.watcher is None


class OtherIdentity(NamedTuple):
    """No rule names the watcher (OMA `other-identity`)."""

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether the watcher has an identity that no rule names."""
        return circumstances.watcher is not None and not circumstances.named


class Unknown(NamedTuple):
    """A condition of an extension that we do not have."""

    name: str

    def holds(self, circumstances: Circumstances) -> bool:
        """Never."""
        return False


def parse(conditions: etree._Element) -> tuple[Condition, ...]:
    """The conditions of a rule, from an element whose own vocabulary has no namespace; raises DocumentError."""
    return tuple(_condition(element) for element in conditions)


def _condition(element: etree._Element) -> Condition:
    match element.tag:
        case "identity":
            return _identities(element)
        case "sphere":
            return Sphere((element.get("value") or element.text or "").strip())
        case "validity":
            return Validity(tuple(_intervals(element)))
        case "anonymous-request":
            return Anonymous()
        case "other-identity":
            return OtherIdentity()
        case name:
            return Unknown(name)


def _identities(element: etree._Element) -> Identities:
    ones = frozenset(_canonical(_attribute(one, "id")) for one in element.iterchildren("one"))
    return Identities(ones, tuple(many for item in element.iterchildren("many") for many in _many(item)))


def _many(element: etree._Element) -> Iterator[Many]:
    """The identities that a `many` names: none if it makes exceptions of a kind that we do not know."""
    ids: set[str] = set()
    domains: set[str] = set()
    for child in element:
        if child.tag != "except":
            return
        domain = child.get("domain")
        if domain is None:
            ids.add(_canonical(_attribute(child, "id")))
        else:
            domains.add(domain.strip().lower())
            ids.update(_canonical(text) for text in [child.get("id")] if text)
    domain = element.get("domain")
    yield Many(domain if domain is None else domain.strip().lower(), frozenset(ids), frozenset(domains))


def _canonical(uri: str) -> str:
    found = identity(uri)
    return uri if found is None else found.uri


def _intervals(validity: etree._Element) -> Iterator[tuple[float, float]]:
    children = [child for child in validity if child.tag in ("from", "until")]
    if [child.tag for child in children] != ["from", "until"] * (len(children) // 2):
        raise DocumentError("validity is not a sequence of from and until")
    for start, end in zip(children[::2], children[1::2], strict=True):
        yield _time(start), _time(end)


def _time(element: etree._Element) -> float:
    """The seconds since 1970 of a date and time; without a zone it is UTC. 24:00:00 ends a day (XML Schema)."""
    text = (element.text or "").strip()
    in_day, ends_day = _END_OF_DAY.subn("T00:00:00", text)
    try:
        moment = datetime.fromisoformat(in_day) + timedelta(days=ends_day)
    except (ValueError, OverflowError):
        raise DocumentError(f"no date and time: {text[:40]!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise DocumentError(f"{element.tag} without {name}")
    return value
