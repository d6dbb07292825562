"""A subscription as other modules see it."""

import pytest

from openpy.modules.presence.api import EventPackage
from openpy.modules.presence.subs import Subs, subs_of
from tests.modules.presence.kit import ALICE, House

PACKAGE = EventPackage("weather", "text/plain")


@pytest.mark.parametrize(
    ("user", "domain", "uri"),
    [
        ("bob", "example.org", "sip:bob@example.org"),
        ("", "example.org", "sip:example.org"),
        ("tel:+1", "", "tel:+1"),
    ],
)
def test_the_watcher_as_a_uri(user: str, domain: str, uri: str) -> None:
    assert Subs(ALICE, PACKAGE, from_user=user, from_domain=domain).watcher_uri == uri


def test_every_field_of_the_seed_is_filled() -> None:
    house = House()
    first = house.subscribe("Record-Route: <sip:p1;lr>", event="presence;id=7", to="<sip:Al@X.org>", cseq=5)
    (subscription,) = house.agent.presentities[ALICE].events["presence"].subscriptions.values()
    rules = object()
    subs = subs_of(subscription, rules=rules, published=b"body")
    assert (subs.pres_uri, subs.event.name, subs.event_id) == (ALICE, "presence", "7")
    assert (subs.to_user, subs.to_domain, subs.from_user, subs.from_domain) == (
        *("Al", "x.org"),
        *("bob", "example.org"),
    )
    assert (subs.to_tag, subs.from_tag, subs.callid) == (first.reply.to.tag, "b1", first.request.call_id)
    assert (subs.remote_cseq, subs.local_cseq) == (5, 1)
    assert (subs.contact, subs.local_contact) == (
        "sip:bob@192.0.2.7:5070",
        "sip:192.0.2.1:5060;transport=udp",
    )
    assert (subs.record_route, subs.sockinfo_str) == ("<sip:p1;lr>", "udp:192.0.2.1:5060")
    assert (subs.expires, subs.status, subs.reason, subs.version) == (subscription.expires, 1, "", 0)
    assert subs.auth_rules_doc is rules
    assert subs.published == b"body"
