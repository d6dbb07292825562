"""What watchers may see: the permissions of RFC 5025 section 3.3.

Rules:
1. A permission that a rule does not mention is undefined, which is neither given nor refused; what becomes of
   the undefined is decided where permissions are applied.
2. Permissions of several rules are joined: sets are united, levels and booleans take the highest (RFC 4745
   section 10.2); the undefined takes no part.
3. Equal permissions compare and hash equal, so watchers with equal permissions can share one body.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeVar

from lxml import etree

ATTRIBUTES = frozenset(
    {
        *("activities", "class", "deviceID", "mood", "note", "place-is", "place-type", "privacy"),
        *("relationship", "sphere", "status-icon", "time-offset", "user-input"),
    }
)
"""The presence attributes that have a permission of their own in RFC 5025."""

_SELECTORS = {
    "class": "class",
    "deviceID": "deviceID",
    "occurrence-id": "occurrence-id",
    "occurence-id": "occurrence-id",  # as OpenSER 1.3 spells it
    "service-uri": "service-uri",
    "service-uri-scheme": "service-uri-scheme",
}
_PREFIX = "provide-"

Attribute = tuple[str | None, str]
"""The namespace and name of a presence attribute; None: the name alone counts."""


class UserInput(IntEnum):
    """How much of `user-input` is told (RFC 5025 section 3.3.2)."""

    FALSE = 0
    BARE = 10
    THRESHOLDS = 20
    FULL = 30


class Selection(NamedTuple):
    """Which services, persons or devices are told: all, or those that one selector (kind, value) fits."""

    everything: bool = False
    selectors: frozenset[tuple[str, str]] = frozenset()


class Permissions(NamedTuple):
    """What rules give and refuse; None, and what stands in neither set, is undefined."""

    services: Selection | None = None
    persons: Selection | None = None
    devices: Selection | None = None
    user_input: UserInput | None = None
    granted: frozenset[Attribute] = frozenset()
    denied: frozenset[Attribute] = frozenset()
    all_attributes: bool = False

    @property
    def forbids_nothing(self) -> bool:
        """Whether everything that these permissions mention is given."""
        selections = (self.services, self.persons, self.devices)
        return (
            not self.denied
            and self.user_input in (None, UserInput.FULL)
            and all(selection is None or selection.everything for selection in selections)
        )

    def joined(self, other: Permissions) -> Permissions:
        """The permissions of both."""
        granted = self.granted | other.granted
        return Permissions(
            _united(self.services, other.services),
            _united(self.persons, other.persons),
            _united(self.devices, other.devices),
            _highest(self.user_input, other.user_input),
            granted,
            (self.denied | other.denied) - granted,
            self.all_attributes or other.all_attributes,
        )


def parse(transformations: etree._Element) -> Permissions:
    """The permissions of a rule, from an element whose own vocabulary has no namespace.

    Values are read in any case; one that makes no sense refuses.
    """
    permissions = Permissions()
    for element in transformations:
        if element.tag.startswith(_PREFIX):
            permissions = permissions.joined(_permission(element))
    return permissions


def _permission(element: etree._Element) -> Permissions:
    name = element.tag[len(_PREFIX) :]
    match name:
        case "services":
            return Permissions(services=_selection(element))
        case "persons":
            return Permissions(persons=_selection(element))
        case "devices":
            return Permissions(devices=_selection(element))
        case "user-input":
            return Permissions(user_input=_level(element))
        case "all-attributes":
            return Permissions(all_attributes=not _text(element) or _is_true(element))
        case "unknown-attribute":
            attribute: Attribute = (element.get("ns") or "", element.get("name") or "")
        case _:
            attribute = (None, name)
    if _is_true(element):
        return Permissions(granted=frozenset({attribute}))
    return Permissions(denied=frozenset({attribute}))


def _selection(element: etree._Element) -> Selection:
    if _is_true(element):
        return Selection(everything=True)
    selectors: set[tuple[str, str]] = set()
    for child in element:
        if child.tag.startswith("all-"):
            return Selection(everything=True)
        kind = _SELECTORS.get(child.tag)
        value = (child.text or "").strip()
        if kind is not None and value:
            selectors.add((kind, value.lower().rstrip(":") if kind == "service-uri-scheme" else value))
    return Selection(selectors=frozenset(selectors))


def _level(element: etree._Element) -> UserInput:
    if _is_true(element):
        return UserInput.FULL
    return UserInput.__members__.get(_text(element).upper(), UserInput.FALSE)


def _is_true(element: etree._Element) -> bool:
    return _text(element) in ("true", "1")


def _text(element: etree._Element) -> str:
    return (element.text or "").strip().lower()


def _united(left: Selection | None, right: Selection | None) -> Selection | None:
    if left is None or right is None:
        return left if right is None else right
    if left.everything or right.everything:
        return Selection(everything=True)
    return Selection(selectors=left.selectors | right.selectors)


_Level = TypeVar("_Level", bound=IntEnum)


def _highest(left: _Level | None, right: _Level | None) -> _Level | None:
    if left is None or right is None:
        return left if right is None else right
    return max(left, right)
