from __future__ import annotations

from dataclasses import dataclass

import pytest

from openpy.modules.tm.picking import add_challenges, best, passed_on
from openpy.sip.edits import Edits
from openpy.sip.message import Response, parse_message


@dataclass
class Branch:
    status: int
    response: Response | None = None


@pytest.mark.parametrize(
    ("statuses", "cancelled", "wins"),
    [
        ((486, 404, 480), False, 404),
        ((408, 302), False, 302),
        ((503, 599), False, 599),
        ((503,), False, 503),
        ((300, 600), False, 600),
        ((606, 603), False, 603),
        ((404, 487), False, 404),
        ((404, 487), True, 487),
        ((603, 487), True, 487),
        ((404, 486), True, 404),
    ],
)
def test_which_one_goes_up(statuses: tuple[int, ...], cancelled: bool, wins: int) -> None:
    assert best([Branch(status) for status in statuses], cancelled=cancelled).status == wins


@pytest.mark.parametrize(("statuses", "wins"), [((408, 486), 486), ((408, 503), 503), ((408,), 408)])
def test_of_another_request_silence_is_the_worst(statuses: tuple[int, ...], wins: int) -> None:
    branches = [Branch(status, None if status == 408 else reply(status)) for status in statuses]
    assert best(branches, is_invite=False).status == wins


def test_a_408_that_came_is_no_silence() -> None:
    assert best([Branch(486, reply(486)), Branch(408, reply(408))], is_invite=False).status == 408


@pytest.mark.parametrize(("status", "goes_up"), [(503, 500), (500, 500), (504, 504), (403, 403)])
def test_what_says_something_about_one_server_only_goes_up_as_500(status: int, goes_up: int) -> None:
    assert passed_on(status) == goes_up


def test_of_equals_the_first_goes_up() -> None:
    first, second = Branch(486), Branch(486)
    assert best([first, second], cancelled=False) is first


def reply(status: int, *headers: str) -> Response:
    lines = [f"SIP/2.0 {status} X", "Via: SIP/2.0/UDP a", "CSeq: 1 INVITE", *headers, "", ""]
    message = parse_message("\r\n".join(lines).encode())
    assert isinstance(message, Response)
    return message


@pytest.mark.parametrize(("status", "added"), [(401, 3), (407, 3), (486, 0)])
def test_only_a_challenge_carries_those_of_others(status: int, added: int) -> None:
    chosen = reply(status)
    others = [
        Branch(
            401,
            reply(
                401, 'WWW-Authenticate: Digest realm="a", nonce="1"', 'Proxy-Authenticate: Digest realm="x"'
            ),
        ),
        Branch(407, reply(407, 'Proxy-Authenticate: Digest realm="b"')),
        Branch(404, reply(404, 'WWW-Authenticate: Digest realm="c"')),
        Branch(408),
        Branch(status, chosen),
    ]
    edits = Edits(chosen)
    add_challenges(edits, chosen, others)
    text = edits.apply().decode()
    assert text.count("Authenticate: ") == added
    if added:
        assert (
            'WWW-Authenticate: Digest realm="a", nonce="1"\r\nProxy-Authenticate: Digest realm="x"\r\n'
            'Proxy-Authenticate: Digest realm="b"\r\n'
        ) in text
