"""The address-of-record that a URI means, as tables of contacts are ordered by it."""

from __future__ import annotations

import re
from typing import NamedTuple

from openpy.modules.registrar.failures import Failure, Reason
from openpy.sip.errors import RemoteError
from openpy.sip.grammar import PLAIN_AOR
from openpy.sip.uri import Uri, cached_uri, unescape

LONGEST_USER = 64
LONGEST_DOMAIN = 128
"""Characters, as 1.3 has them; both together are less than its longest AoR."""

_UNFIT = re.compile(r"%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%7[Ff]")
"""An escape that escapes nothing, or a control character."""


class AorRules(NamedTuple):
    """How an AoR is made of a URI."""

    use_domain: bool = False
    case_sensitive: bool = False
    realm_prefix: str = ""


def aor_of(text: str, rules: AorRules) -> str:
    """The user of a URI, with `use_domain` as `user@domain`; raises Failure."""
    if PLAIN_AOR.match(text):
        user, _, domain = text[4:].partition("@")
    else:
        uri = _parsed(text)
        user, domain = uri.subscriber, uri.host.lower() if uri.is_sip else ""
    if not user:
        raise Failure(Reason.NO_USER)
    if "%" in user:
        if _UNFIT.search(user):
            raise Failure(Reason.UNESCAPE)
        user = unescape(user)
    if not (user.isascii() or _is_text(user)):
        raise Failure(Reason.UNESCAPE)
    if len(user) > LONGEST_USER:
        raise Failure(Reason.AOR_LENGTH)
    if not rules.case_sensitive:
        user = user.lower()
    return f"{user}@{_checked(domain, rules)}" if rules.use_domain else user


def _checked(domain: str, rules: AorRules) -> str:
    domain = domain.removeprefix(rules.realm_prefix.lower())
    if not domain:
        raise Failure(Reason.AOR)
    if len(domain) > LONGEST_DOMAIN:
        raise Failure(Reason.AOR_LENGTH)
    return domain


def _is_text(user: str) -> bool:
    """Whether it is valid UTF-8, as everything must be that rows hold."""
    try:
        user.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parsed(text: str) -> Uri:
    try:
        return cached_uri(text)
    except RemoteError:
        raise Failure(Reason.AOR) from None
