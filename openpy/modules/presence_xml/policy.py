"""What presence rules make of a watcher (RFC 5025), as callbacks of the event `presence`. Pure."""

from __future__ import annotations

from math import inf

from openpy.documents import transformations
from openpy.documents.permissions import Permissions
from openpy.documents.rules import Ruleset, SubHandling
from openpy.documents.sphere import sphere_of
from openpy.documents.transformations import Unmentioned
from openpy.documents.xml import DocumentError
from openpy.modules.presence.api import ACTIVE, PENDING, TERMINATED, AuthStatus, Subs

POLITE_BLOCK = "polite-block"
REJECTED = "rejected"
"""The reasons in the tables, as in 1.3."""


class Policy:
    """How rules are read: what becomes of what they do not mention; a secret for what is made up (polite-block)."""

    __slots__ = ("_secret", "_unmentioned")

    def __init__(self, unmentioned: Unmentioned, secret: bytes = b"") -> None:
        """`secret` has at most 64 bytes, and is the same after a restart."""
        self._unmentioned = unmentioned
        self._secret = secret

    def status(self, subs: Subs) -> AuthStatus:
        """`get_auth_status`: who is in no rule waits for the presentity to decide."""
        ruleset = subs.auth_rules_doc
        if not isinstance(ruleset, Ruleset):
            return AuthStatus(PENDING)
        sphere = _sphere(subs.published) if ruleset.depends_on_sphere else None
        decision = ruleset.decide(subs.watcher_uri, now=subs.now, sphere=sphere)
        until = ruleset.next_change(subs.now)
        lasting = (inf if until is None else until, ruleset.depends_on_sphere)
        match decision.status:
            case SubHandling.ALLOW:
                return AuthStatus(ACTIVE, "", decision.permissions, *lasting)
            case SubHandling.POLITE_BLOCK:
                return AuthStatus(ACTIVE, POLITE_BLOCK, POLITE_BLOCK, *lasting)
            case SubHandling.BLOCK:
                return AuthStatus(TERMINATED, REJECTED, None, *lasting)
            case _:
                return AuthStatus(PENDING, "", None, *lasting)

    def shown(self, body: bytes, subs: Subs) -> bytes | None:
        """`apply_auth_nbody`: the body with nothing in it that this watcher may not see."""
        if subs.reason == POLITE_BLOCK:
            return transformations.polite_block(subs.pres_uri, self._secret)
        if not body:
            return None
        permissions = subs.view if isinstance(subs.view, Permissions) else Permissions()
        return transformations.apply(body, permissions, self._unmentioned)


def _sphere(body: bytes) -> str | None:
    try:
        return sphere_of(body) if body else None
    except DocumentError:
        return None
