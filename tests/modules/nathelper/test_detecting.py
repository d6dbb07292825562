from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.kit import Bench, answer, request
from tests.modules.nathelper.kit import CONTACT, PRIVATE, SDP, bench, call

MASKS = (1, 2, 4, 8, 16)
EACH = "$var(x) = 0; " + "".join(
    f'if (nat_uac_test("{mask}")) $var(x) = $var(x) + {mask}; ' for mask in MASKS
)


def signs(folder: Path, data: bytes, host: str = "203.0.113.9", port: int = 40000) -> int:
    """The signs that are seen, added up."""
    with bench(folder, f'{EACH} xlog("$var(x)");') as given:
        given.receive(data, given.phone(host=host, port=port))
        (printed,) = given.printed()
        return int(printed)


VIA = "SIP/2.0/UDP {};branch=z9hG4bKtest"


@pytest.mark.parametrize(
    ("contact", "via", "sdp", "found"),
    [
        (f"<sip:b@{PRIVATE}>", f"{PRIVATE}:5062", SDP, 31),
        ("<sip:b@203.0.113.9>", "203.0.113.9:40000", SDP.replace(PRIVATE, "203.0.113.9"), 0),
        ("<sip:b@203.0.113.9>, <sip:b@10.0.0.1>", "203.0.113.9:40000", "", 0),
        ("<sip:b@10.0.0.1>", "203.0.113.9:40000", "", 1),
        ("<sip:b@phone.example>", "198.51.100.1:40000", "", 2),
        ("<sip:b@phone.example>", "phone.example:40000", "", 2),
        ("<sip:b@phone.example>", "10.1.1.1:40000", "", 6),
        ("<sip:b@phone.example>", "203.0.113.9:40000", SDP, 8),
        ("<sip:b@phone.example>", "203.0.113.9", "", 16),
        ("<tel:+1>", "203.0.113.9:40000", "", 0),
    ],
)
def test_signs(tmp_path: Path, contact: str, via: str, sdp: str, found: int) -> None:
    assert signs(tmp_path, call(f"Contact: {contact}", sdp=sdp, via=VIA.format(via))) == found


def test_no_contact_and_the_star(tmp_path: Path) -> None:
    via = VIA.format("203.0.113.9:40000")
    assert signs(tmp_path, call("Subject: x", via=via)) == 0
    assert signs(tmp_path, request("REGISTER", "sip:x", "Contact: *", "Expires: 0", via=via)) == 0


def test_ipv6(tmp_path: Path) -> None:
    via = VIA.format("[2001:DB8::1]:5060")
    assert signs(tmp_path, call("Contact: <sip:b@[2001:db8::1]>", via=via), "2001:db8::1", 5060) == 0
    assert signs(tmp_path, call("Contact: <sip:b@[2001:db8::1]>", via=via), "2001:db8::2", 5060) == 2


@pytest.mark.parametrize(("mask", "code"), [("19", 1), ("0x13", 1), ("6", -1), ("0", -1), ("64", -1)])
def test_masks(tmp_path: Path, mask: str, code: int) -> None:
    with bench(tmp_path, f'nat_uac_test("{mask}"); xlog("$retcode");') as given:
        given.receive(call(via=VIA.format("203.0.113.9:40000")), given.phone(host="203.0.113.9", port=40000))
        assert list(given.printed()) == [str(code)]


def test_of_a_reply_it_is_its_contact(tmp_path: Path) -> None:
    more = f'onreply_route[1] {{ {EACH} xlog("$var(x)"); }}'
    given: Bench
    with bench(tmp_path, 't_on_reply("1"); t_relay();', more=more) as given:
        given.receive(call())
        reply = answer(given.sent[-1], 180).replace(
            b"Content-Length", CONTACT.encode() + b"\r\nContent-Length", 1
        )
        given.receive(reply, given.phone(host="192.0.2.9", port=5060))
        (printed,) = given.printed()
        assert int(printed) & 1
