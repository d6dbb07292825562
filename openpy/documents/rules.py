"""Presence rules (RFC 4745, RFC 5025): who may watch a presentity, and what each watcher is shown.

Rules:
1. All rules whose conditions hold are joined, and the highest value of everything wins (RFC 4745 section 10).
2. In a document whose root is in the common-policy namespace, only the namespaces of these standards and names
   without one count. In any other document, as OpenSER 1.3 took them, names count alone.
3. A broken document raises DocumentError; whoever asked treats every watcher as pending then.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from lxml import etree

from openpy.documents import conditions, permissions
from openpy.documents.conditions import Circumstances, Condition, Identities, OtherIdentity, Sphere, Validity
from openpy.documents.permissions import Permissions
from openpy.documents.xml import DocumentError, parse_document

CONTENT_TYPE = "application/auth-policy+xml"
COMMON_POLICY = "urn:ietf:params:xml:ns:common-policy"
PRES_RULES = "urn:ietf:params:xml:ns:pres-rules"
OMA_COMMON_POLICY = "urn:oma:xml:xdm:common-policy"

_VOCABULARY = frozenset({COMMON_POLICY, PRES_RULES, OMA_COMMON_POLICY, None})


class SubHandling(IntEnum):
    """What becomes of a subscription (RFC 5025 section 3.2.1). NONE: no rule says anything."""

    NONE = -1
    BLOCK = 0
    CONFIRM = 10
    POLITE_BLOCK = 20
    ALLOW = 30


_SUB_HANDLING = {
    "block": SubHandling.BLOCK,
    "confirm": SubHandling.CONFIRM,
    "polite-block": SubHandling.POLITE_BLOCK,
    "allow": SubHandling.ALLOW,
}


class Decision(NamedTuple):
    """What the rules say of one watcher. Equal decisions compare and hash equal."""

    status: SubHandling
    permissions: Permissions = Permissions()


class Rule(NamedTuple):
    """What is decided if all conditions hold."""

    conditions: tuple[Condition, ...]
    status: SubHandling
    permissions: Permissions

    def applies(self, circumstances: Circumstances) -> bool:
        """Whether every condition holds."""
        return all(condition.holds(circumstances) for condition in self.conditions)


class Ruleset:
    """A document that was read."""

    __slots__ = ("_names_others", "_times", "depends_on_sphere", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        every = [condition for rule in rules for condition in rule.conditions]
        self.depends_on_sphere = any(isinstance(condition, Sphere) for condition in every)
        """Whether decisions can change with the sphere of the presentity."""
        self._names_others = any(isinstance(condition, OtherIdentity) for condition in every)
        validities = [condition for condition in every if isinstance(condition, Validity)]
        self._times = sorted({time for item in validities for pair in item.intervals for time in pair})

    def decide(
        self, watcher_uri: str, *, now: float, authenticated: bool = True, sphere: str | None = None
    ) -> Decision:
        """What the rules say of a watcher at the time `now` (seconds since 1970).

        `authenticated` is whether `watcher_uri` is accepted as the watcher's identity; without it, and for
        an anonymous URI, only rules apply that name nobody. `sphere` is the presentity's, None if unknown.
        """
        watcher = conditions.identity(watcher_uri) if authenticated else None
        circumstances = Circumstances(watcher, now, sphere)
        if self._names_others:
            circumstances = circumstances._replace(named=self._names(circumstances))
        status = SubHandling.NONE
        given = Permissions()
        for rule in self.rules:
            if rule.applies(circumstances):
                status = max(status, rule.status)
                given = given.joined(rule.permissions)
        return Decision(status, given)

    def next_change(self, now: float) -> float | None:
        """The next time (seconds since 1970) at which a rule begins or ends to be valid; None if never."""
        return next((time for time in self._times if time > now), None)

    def _names(self, circumstances: Circumstances) -> bool:
        return any(
            isinstance(condition, Identities) and condition.holds(circumstances)
            for rule in self.rules
            for condition in rule.conditions
        )


def parse(body: bytes) -> Ruleset:
    """Read a document; raises DocumentError for one that is broken."""
    root = parse_document(body)
    _drop_namespaces(root)
    if root.tag.lower() != "ruleset":
        raise DocumentError("the root element is not ruleset")
    return Ruleset(tuple(_rule(element) for element in root.iterchildren("rule")))


def _drop_namespaces(root: etree._Element) -> None:
    """Leave names without their namespace where it is one of the vocabulary."""
    any_namespace = etree.QName(root).namespace != COMMON_POLICY
    for element in root.iter("*"):
        name = etree.QName(element)
        if any_namespace or name.namespace in _VOCABULARY:
            element.tag = name.localname


def _rule(element: etree._Element) -> Rule:
    given = Permissions()
    for transformations in element.iterchildren("transformations"):
        given = given.joined(permissions.parse(transformations))
    required = tuple(
        condition for item in element.iterchildren("conditions") for condition in conditions.parse(item)
    )
    return Rule(required, _status(element), given)


def _status(rule: etree._Element) -> SubHandling:
    element = rule.find("actions/sub-handling")
    if element is None:
        return SubHandling.NONE
    return _SUB_HANDLING.get((element.text or "").strip().lower(), SubHandling.BLOCK)
