"""The address-of-record of a URI."""

from __future__ import annotations

import pytest

from openpy.modules.registrar.addresses import AorRules, aor_of
from openpy.modules.registrar.failures import Failure, Reason

DOMAIN = AorRules(use_domain=True)


@pytest.mark.parametrize(
    ("uri", "user", "whole"),
    [
        ("sip:bob@example.org", "bob", "bob@example.org"),
        ("sip:Bob@Example.ORG:5080;transport=tcp", "bob", "bob@example.org"),
        ("sips:bob:secret@example.org", "bob", "bob@example.org"),
        ("sip:b%6Fb%40home@example.org", "bob@home", "bob@home@example.org"),
        ("sip:+49-30;phone-context=x@example.org;user=phone", "+49-30;phone-context=x", None),
        ("sip:j%C3%B6rg@example.org", "jörg", "jörg@example.org"),
    ],
)
def test_user_and_domain(uri: str, user: str, whole: str | None) -> None:
    assert aor_of(uri, AorRules()) == user
    assert aor_of(uri, DOMAIN) == (whole or f"{user}@example.org")


def test_a_number() -> None:
    assert aor_of("tel:+4930123;x=y", AorRules()) == "+4930123"


def test_upper_and_lower_case_may_differ() -> None:
    assert aor_of("sip:Bob@Example.ORG", AorRules(use_domain=True, case_sensitive=True)) == "Bob@example.org"


def test_the_begin_of_the_domain_may_be_cut() -> None:
    rules = AorRules(use_domain=True, realm_prefix="SIP.")
    assert aor_of("sip:bob@sip.example.org", rules) == "bob@example.org"
    assert aor_of("sip:bob@example.org", rules) == "bob@example.org"


@pytest.mark.parametrize(
    ("uri", "rules", "reason"),
    [
        ("sip:example.org", AorRules(), Reason.NO_USER),
        ("http://example.org", AorRules(), Reason.NO_USER),
        ("nothing", AorRules(), Reason.AOR),
        ("sip:b%zzb@h", AorRules(), Reason.UNESCAPE),
        ("sip:b%00b@h", AorRules(), Reason.UNESCAPE),
        ("sip:b%7fb@h", AorRules(), Reason.UNESCAPE),
        ("sip:b%1@h", AorRules(), Reason.UNESCAPE),
        ("sip:b%ff@h", AorRules(), Reason.UNESCAPE),
        ("sip:b\udcff@h", AorRules(), Reason.UNESCAPE),
        (f"sip:{'b' * 65}@h", AorRules(), Reason.AOR_LENGTH),
        (f"sip:b@{'h' * 129}", DOMAIN, Reason.AOR_LENGTH),
        ("tel:+4930123", DOMAIN, Reason.AOR),
        ("sip:b@sip.", AorRules(use_domain=True, realm_prefix="sip."), Reason.AOR),
    ],
)
def test_what_has_none(uri: str, rules: AorRules, reason: Reason) -> None:
    with pytest.raises(Failure) as caught:
        aor_of(uri, rules)
    assert caught.value.reason is reason
