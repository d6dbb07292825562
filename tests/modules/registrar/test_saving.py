"""REGISTERs and their answers, with usrloc in each mode."""

from __future__ import annotations

from typing import Any

import pytest

from openpy.db.errors import Unavailable
from openpy.modules.usrloc.api import Domain
from openpy.testing.exchange import Exchange
from openpy.testing.script import Script
from tests.modules.usrloc.kit import BACK, MEMORY, REMOTE, THROUGH, contacts_of, register, script

every_mode = pytest.mark.parametrize("mode", [MEMORY, THROUGH, BACK, REMOTE])
CONTACT = "<sip:bob@192.0.2.7>"


def error_of(exchange: Exchange) -> tuple[int, str | None]:
    return exchange.status, exchange.get("P-Registrar-Error")


def domain_of(server: Script) -> Domain:
    domain: Domain = server.server.modules["usrloc"].bind().domain("location")
    return domain


@every_mode
def test_a_life_of_a_contact(mode: int) -> None:
    with script(mode) as server:
        first = register(server)
        assert (first.status, first.get("Contact")) == (200, f"{CONTACT};expires=3600")
        assert first.get("P-Registrar-Error") is None
        assert register(server, cseq=2, expires=600).get("Contact") == f"{CONTACT};expires=600"
        both = register(server, "<sip:bob@192.0.2.8>;q=1", cseq=3, call_id="other")
        assert both.get("Contact") == f"<sip:bob@192.0.2.8>;q=1;expires=3600, {CONTACT};expires=600"
        assert register(server, None, cseq=4, expires=None).get("Contact") == both.get("Contact")
        gone = register(server, cseq=5, expires=0)
        assert gone.get("Contact") == "<sip:bob@192.0.2.8>;q=1;expires=3600"
        assert register(server, "*", cseq=6, expires=0, call_id="other").get("Contact") is None
        assert register(server, "*", cseq=7, expires=0).status == 200
        assert contacts_of(server) == []
        assert server.statistic("registrar:accepted_regs") == 8
        assert server.statistic("registrar:rejected_regs") == 0


@every_mode
def test_a_retransmission_and_an_older_request(mode: int) -> None:
    with script(mode) as server:
        register(server, cseq=5)
        again = register(server, cseq=5, expires=60, tag="q")
        assert again.get("Contact") == f"{CONTACT};expires=3600"
        older = register(server, cseq=4)
        assert error_of(older) == (400, "Invalid CSeq number")
        assert (older.get("Contact") is None) == (mode == REMOTE)
        server.run_for(21)
        assert register(server, cseq=5, tag="r").status == 400
        assert register(server, cseq=1, call_id="restarted").status == 200


@every_mode
def test_all_or_nothing(mode: int) -> None:
    with script(mode) as server:
        register(server, cseq=5)
        refused = register(server, f"<sip:new@192.0.2.9>, {CONTACT}", cseq=4)
        assert refused.status == 400
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]
        assert register(server, "<sip:x@h>, <sip:y@h>;q=7", user="alice").status == 400
        assert contacts_of(server, "alice") == []
        if mode:
            server.mi("ul_flush")
            assert [row["contact"] for row in server.rows("location")] == ["sip:bob@192.0.2.7"]


@pytest.mark.parametrize(
    ("contact", "more", "error"),
    [
        ("*", {}, (400, "* used in contact and expires is not zero")),
        ("<sip:b@h>;q=x", {}, (400, "Invalid q param in contact")),
        (f"<sip:{'x' * 255}@h>", {}, (400, "Contact/received too long")),
        ("<sip:b@h>", {"Call-ID": "c" * 256}, (400, "Callid too long")),
        ("<sip:b@h>", {"To": "<sip:example.org>"}, (400, "No username in To URI")),
        ("<sip:b@h>", {"To": "<sip:b%zz@example.org>"}, (400, "Error while unescaping username")),
        ("<sip:b@h>", {"To": f"<sip:{'b' * 65}@example.org>"}, (500, "Address Of Record too long")),
    ],
)
def test_what_is_refused(contact: str, more: dict[str, Any], error: tuple[int, str]) -> None:
    with script() as server:
        refused = register(server, contact, headers=more)
        assert error_of(refused) == error
        assert refused.get("Retry-After") is None
        assert server.statistic("registrar:rejected_regs") == 1
        assert domain_of(server).records == {}


def test_too_many_contacts() -> None:
    with script(registrar={"max_contacts": 2, "retry_after": 30}) as server:
        register(server, "<sip:1@h>, <sip:2@h>")
        refused = register(server, "<sip:3@h>", cseq=2)
        assert (*error_of(refused), refused.get("Retry-After")) == (503, "Too many registered contacts", "30")
        assert refused.get("Contact") == "<sip:1@h>;expires=3600, <sip:2@h>;expires=3600"
        assert register(server, "<sip:1@h>", cseq=3).status == 200
        assert register(server, "<sip:1@h>;expires=0, <sip:3@h>", cseq=4).status == 200


# --- what is kept of the request --------------------------------------------------------------------------------


def test_socket_flags_and_user_agent() -> None:
    route = 'setbflag(6); save("location");'
    with script(THROUGH, route) as server:
        register(server, headers={"User-Agent": "phone"})
        register(server, user="alice", headers={"User-Agent": "x" * 256})
        register(server, user="carol")
        rows = server.rows("location")
        assert [row["user_agent"] for row in rows] == ["phone", "n/a", "n/a"]
        assert {(row["socket"], row["cflags"], row["flags"], row["methods"]) for row in rows} == {
            ("udp:127.0.0.1:5060", 64, 0, None)
        }


def test_methods_of_a_contact() -> None:
    with script(THROUGH) as server:
        register(server, '<sip:1@h>;methods="INVITE,ACK", <sip:2@h>', headers={"Allow": "MESSAGE"})
        assert [row["methods"] for row in server.rows("location")] == [5, 256]


def test_where_it_came_from() -> None:
    route = '$avp(i:801) = "sip:192.0.2.99:1024"; save("location");'
    values: dict[str, str | int] = {"received_avp": "$avp(i:801)", "received_param": "rcv"}
    with script(THROUGH, route, registrar=values) as server:
        assert register(server).get("Contact") == f'{CONTACT};expires=3600;rcv="sip:192.0.2.99:1024"'
        assert server.rows("location")[0]["received"] == "sip:192.0.2.99:1024"
    route = '$avp(s:x) = "sip:' + "r" * 252 + '"; save("location");'
    with script(MEMORY, route, registrar={"received_avp": "s:x"}) as server:
        assert error_of(register(server)) == (400, "Contact/received too long")


def test_the_aor_of_an_avp() -> None:
    route = 'if (is_present_hf("X")) {} $avp(s:who) = "sip:Alice@Elsewhere.example"; save("location");'
    route = route.replace('if (is_present_hf("X")) {} ', "")
    with script(THROUGH, route, usrloc={"use_domain": 1}, registrar={"aor_avp": "$avp(s:who)"}) as server:
        register(server)
        row = server.rows("location")[0]
        assert (row["username"], row["domain"]) == ("alice", "elsewhere.example")
    with script(THROUGH, registrar={"aor_avp": "$avp(s:who)"}) as server:
        register(server)
        assert server.rows("location")[0]["username"] == "bob"


def test_case_and_realm() -> None:
    values: dict[str, str | int] = {"case_sensitive": 1, "realm_prefix": "sip."}
    with script(THROUGH, usrloc={"use_domain": 1}, registrar=values) as server:
        register(server, headers={"To": "<sip:Bob@SIP.example.org>"})
        row = server.rows("location")[0]
        assert (row["username"], row["domain"]) == ("Bob", "example.org")


def test_a_socket_that_a_header_names() -> None:
    values: dict[str, str | int] = {"sock_flag": 3, "sock_hdr_name": "Sock-Info"}
    route = 'if (src_ip == 192.0.2.7) setflag(3); save("location");'
    with script(THROUGH, route, registrar=values) as server:
        named = {"Sock-Info": "udp:127.0.0.1:5060"}
        register(server, "<sip:1@h>", headers=named)
        assert server.printed == []
        register(server, "<sip:2@h>", cseq=2, headers={"Sock-Info": "udp:192.0.2.44:5060"})
        register(server, "<sip:3@h>", cseq=3, headers={"Sock-Info": "::"})
        register(server, "<sip:4@h>", cseq=4, headers={"Sock-Info": "::"}, source="udp:192.0.2.8:5060")
        assert {row["socket"] for row in server.rows("location")} == {"udp:127.0.0.1:5060"}
        assert len([line for line in server.printed if "names no socket of this server" in line]) == 2


def test_a_socket_header_needs_its_flag() -> None:
    with script(registrar={"sock_flag": 3}) as server:
        assert any("no effect without each other" in line.text for line in server.log)
        assert register(server).status == 200


# --- Path (RFC 3327) ------------------------------------------------------------------------------------------------

PATH = "<sip:p1@192.0.2.50;lr;received=sip:192.0.2.7%3A1024>"


@pytest.mark.parametrize(
    ("mode", "supported", "told"),
    [(0, "path", False), (1, "path", True), (1, None, False), (2, "100rel, Path", True)],
)
def test_path_is_kept(mode: int, supported: str | None, told: bool) -> None:
    with script(THROUGH, registrar={"use_path": 1, "path_mode": mode}) as server:
        headers = {"Path": [PATH, "<sip:p2;lr>"], "Supported": supported}
        answer = register(server, headers=headers)
        assert (answer.status, answer.get("Path")) == (200, f"{PATH},<sip:p2;lr>" if told else None)
        row = server.rows("location")[0]
        assert (row["path"], row["received"], row["cflags"]) == (f"{PATH},<sip:p2;lr>", None, 0)


def test_path_that_is_not_supported_is_refused_and_nothing_kept() -> None:
    """1.3 kept the contact."""
    with script(registrar={"use_path": 1}) as server:
        refused = register(server, headers={"Path": PATH})
        assert error_of(refused) == (420, "No support for found Path indicated")
        assert (refused.get("Unsupported"), refused.get("Path")) == ("path", PATH)
        assert contacts_of(server) == []


def test_path_tells_where_it_came_from() -> None:
    values = {"use_path": 1, "path_mode": 1, "path_use_received": 1}
    with script(THROUGH, usrloc={"nat_bflag": 6}, registrar=values) as server:
        register(server, headers={"Path": PATH})
        register(server, user="alice", headers={"Path": "<sip:p;lr>"})
        first, second = server.rows("location")
        assert (first["received"], first["cflags"]) == ("sip:192.0.2.7:1024", 64)
        assert (second["received"], second["cflags"]) == (None, 0)


@pytest.mark.parametrize(
    "path",
    [
        "<sip:",
        f"<sip:{'p' * 255};lr>",
        "<mailto:p@h>",
        "<sip:p1;lr>, nonsense",
        "<sip:p1;lr>, <tel:+1>",
        "<sip:p1;lr;received=nonsense>",
        "<sip:p1;lr;received=tel:+1>",
        "<sip:p1;lr;received=sip:h%22;x>",
        "<sip:p1;lr;received=sip:h%0D%0AEvil%3A1>",
        ",",
        "",
    ],
)
def test_path_that_cannot_be_taken(path: str) -> None:
    values = {"use_path": 1, "path_mode": 1, "path_use_received": 1}
    with script(registrar=values) as server:
        refused = register(server, headers={"Path": path})
        assert error_of(refused) == (400, "Path parse error")
        assert refused.get("Evil") is None
        assert contacts_of(server) == []


def test_a_received_that_is_not_used_may_be_anything() -> None:
    with script(registrar={"use_path": 1, "path_mode": 1}) as server:
        assert register(server, headers={"Path": "<sip:p1;lr;received=nonsense>"}).status == 200


def test_path_is_left_alone_unless_it_is_used() -> None:
    with script(THROUGH) as server:
        assert register(server, headers={"Path": PATH}).status == 200
        assert server.rows("location")[0]["path"] is None


# --- flags of save --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [THROUGH, BACK])
def test_for_memory_only(mode: int) -> None:
    with script(mode, 'save("location", "0x01");') as server:
        assert register(server).status == 200
        server.mi("ul_flush")
        assert server.rows("location") == []
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]


@every_mode
def test_no_reply(mode: int) -> None:
    with script(mode, 'if (save("location", "0x02")) $var(saved) = 1;') as server:
        saved, refused = register(server), register(server, "*", cseq=9)
        assert (saved.replies, refused.replies) == ([], [])
        assert (saved.variables, refused.variables) == ({"saved": 1}, {})
        assert len(domain_of(server).of("bob")) == (mode != REMOTE)


# --- commits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [THROUGH, REMOTE])
def test_what_could_not_be_committed_is_answered_500_and_changes_nothing(mode: int) -> None:
    with script(mode) as server:
        register(server)
        for when in ("INSERT", "UPDATE", "DELETE"):
            server.sql(
                f"CREATE TRIGGER no{when} BEFORE {when} ON location BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        found = [
            register(server, "<sip:2@h>", user="alice"),
            register(server, "<sip:2@h>", cseq=2),
            register(server, cseq=3, expires=0),
            register(server, "*", cseq=4, expires=0),
        ]
        in_memory = mode != REMOTE
        assert [error_of(item) for item in found] == [
            (500, "usrloc_contact_insert failed"),
            (500, "usrloc_contact_update failed"),
            (500, "usrloc_contact_delete failed"),
            (500, "usrloc_record_delete failed"),
        ]
        assert all(1 <= int(item.get("Retry-After") or 0) <= 5 for item in found)
        assert [item.get("Contact") is not None for item in found] == [False, *[in_memory] * 3]
        assert contacts_of(server) == ["sip:bob@192.0.2.7"]
        assert server.rows("location")[0]["cseq"] == 1


def test_a_database_that_cannot_be_read() -> None:
    with script(REMOTE) as server:
        server.sql("DROP TABLE location")
        assert error_of(register(server)) == (500, "usrloc_record_get failed")
        assert error_of(register(server, None, cseq=2)) == (500, "usrloc_record_get failed")


def test_nothing_is_told_before_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    with script(THROUGH) as server:
        told: list[int] = []
        domain = domain_of(server)
        apply = domain.mode._apply  # type: ignore[attr-defined]

        def applied(*values: Any) -> None:
            told.append(len(server.rows("location")))
            assert not server.sent
            apply(*values)

        monkeypatch.setattr(domain.mode, "_apply", applied)
        assert register(server).status == 200
        assert told == [1]


def test_a_retransmission_is_absorbed_while_it_waits() -> None:
    with script(THROUGH) as server:
        writer = next(iter(server.server.databases.values())).writer
        flush = writer.flush
        writer.flush = lambda: None  # type: ignore[method-assign]
        first = register(server)
        again = server.send(first.message.raw)
        assert (first.replies, again.replies, len(domain_of(server).standing("bob"))) == ([], [], 1)
        writer.flush = flush  # type: ignore[method-assign]
        writer.flush()
        server.run_for(0.1)
        assert len(server.sent) == 1
        server.send(first.message.raw)
        assert [sent.data for sent in server.sent] == [server.sent[0].data] * 2
        assert server.statistic("registrar:accepted_regs") == 1


def test_two_registers_that_overlap_are_done_in_order() -> None:
    with script(THROUGH) as server:
        writer = next(iter(server.server.databases.values())).writer
        flush = writer.flush
        writer.flush = lambda: None  # type: ignore[method-assign]
        first = register(server, "<sip:1@h>", call_id="a")
        second = register(server, "<sip:2@h>", call_id="b")
        third = register(server, "<sip:1@h>", call_id="a", cseq=2, expires=0)
        late = register(server, "<sip:1@h>", call_id="a", cseq=1, tag="q")
        writer.flush = flush  # type: ignore[method-assign]
        writer.flush()
        server.run_for(0.1)
        assert first.get("Contact") == "<sip:1@h>;expires=3600"
        assert second.get("Contact") == "<sip:1@h>;expires=3600, <sip:2@h>;expires=3600"
        assert third.get("Contact") == "<sip:2@h>;expires=3600"
        assert late.get("Contact") == "<sip:2@h>;expires=3600, <sip:1@h>;expires=3600"
        assert [row["contact"] for row in server.rows("location")] == contacts_of(server)


def test_behind_a_row_that_was_refused_the_next_is_decided_again() -> None:
    with script(THROUGH) as server:
        register(server, "<sip:0@h>", user="alice")
        server.sql(
            "CREATE TRIGGER bad BEFORE INSERT ON location WHEN new.contact = 'sip:bad@h' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        writer = next(iter(server.server.databases.values())).writer
        flush = writer.flush
        writer.flush = lambda: None  # type: ignore[method-assign]
        bad, good = (
            register(server, "<sip:bad@h>", call_id="a"),
            register(server, "<sip:good@h>", call_id="b"),
        )
        writer.flush = flush  # type: ignore[method-assign]
        writer.flush()
        server.run_for(0.1)
        assert (bad.status, good.get("Contact")) == (500, "<sip:good@h>;expires=3600")


def test_a_row_that_somebody_deleted_is_made_again() -> None:
    with script(THROUGH) as server:
        register(server)
        server.sql("DELETE FROM location")
        assert register(server, cseq=2).status == 200
        assert [row["cseq"] for row in server.rows("location")] == [2]


def test_a_queue_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    with script(THROUGH) as server:
        writer = next(iter(server.server.databases.values())).writer

        def full(*_: object) -> None:
            raise Unavailable("full")

        monkeypatch.setattr(writer, "submit", full)
        assert error_of(register(server)) == (500, "usrloc_contact_insert failed")
        assert domain_of(server).records == {}


def test_no_transaction_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with script(THROUGH) as server:
        server.server.transactions.capacity = 0
        refused = register(server)
        assert (refused.status, refused.get("Retry-After") is None) == (503, False)
        assert contacts_of(server) == []


def test_what_no_row_takes() -> None:
    with script(THROUGH) as server:
        assert register(server, "<sip:\udcff@h>").status == 400
        assert domain_of(server).records == {}


def test_a_user_agent_that_is_no_utf8_is_kept_as_far_as_it_is() -> None:
    with script(THROUGH) as server:
        assert register(server, headers={"User-Agent": "T\udce9l\u00e9phone"}).status == 200
        assert server.rows("location")[0]["user_agent"] == "T\ufffdl\u00e9phone"


def test_the_connection_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[str, float]] = []
    route = 'if (src_ip == 192.0.2.7) setflag(2); save("location");'
    with script(THROUGH, route, registrar={"tcp_persistent_flag": 2}) as server:
        monkeypatch.setattr(
            server.server.sockets, "keep", lambda flow, seconds: kept.append((flow.transport, seconds))
        )
        register(server, "<sip:1@h>, <sip:2@h>;expires=600", source="tcp:192.0.2.7:4000")
        register(server, source="tcp:192.0.2.8:4000", user="alice")
        assert kept == [("tcp", 3610)]


@pytest.mark.parametrize(
    ("use_path", "required", "unsupported"),
    [(0, "path", "path"), (1, "gruu, Path, outbound", "gruu, outbound"), (1, "path", None), (0, "", None)],
)
def test_what_is_required_and_not_done_is_refused(
    use_path: int, required: str, unsupported: str | None
) -> None:
    with script(registrar={"use_path": use_path}) as server:
        exchange = register(server, headers={"Require": required, "Supported": "path"})
        assert exchange.get("Unsupported") == unsupported
        if unsupported is None:
            assert exchange.status == 200
        else:
            assert error_of(exchange) == (420, "Required extension not supported")
            assert contacts_of(server) == []
