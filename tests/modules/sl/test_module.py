from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.modules.sl.module import Sl
from openpy.script.diagnostics import ScriptError
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, Sent, code_of, request


def reply(folder: Path, route: str, data: bytes = b"", more: str = "") -> Sent:
    with Bench(folder, route, more=more) as bench:
        (sent,) = bench.receive(data or request())
        return sent


@pytest.mark.parametrize(
    ("before", "call", "start"),
    [
        (";", 'sl_send_reply("404", "Not Found")', "404 Not Found"),
        (";", 'sl_send_reply("100", "Trying")', "100 Trying"),
        (";", 'sl_send_reply("699", "$rm of $fU")', "699 OPTIONS of alice"),
        ("$var(code)=486;", 'sl_send_reply("$var(code)", "Busy")', "486 Busy"),
    ],
)
def test_a_reply_without_state(tmp_path: Path, before: str, call: str, start: str) -> None:
    with Bench(tmp_path, f"{before} {call};") as bench:
        (sent,) = bench.receive(request())
        assert sent.start == f"SIP/2.0 {start}"
        assert bench.server.transactions.servers_in_use == 0


@pytest.mark.parametrize(
    ("before", "call", "method", "code"),
    [
        (";", 'sl_send_reply("200", "OK")', "OPTIONS", 1),
        (";", 'sl_send_reply("200", "OK")', "ACK", -1),
        ("$var(x)=99;", 'sl_send_reply("$var(x)", "OK")', "OPTIONS", -1),
        ("$var(x)=700;", 'sl_send_reply("$var(x)", "OK")', "OPTIONS", -1),
        ('$var(x)="20x";', 'sl_send_reply("$var(x)", "OK")', "OPTIONS", -1),
        ('$var(x)="";', 'sl_send_reply("200", "$var(x)")', "OPTIONS", -1),
        (";", "sl_reply_error()", "OPTIONS", 1),
        (";", "sl_reply_error()", "ACK", -1),
    ],
)
def test_return_codes(tmp_path: Path, before: str, call: str, method: str, code: int) -> None:
    assert code_of(tmp_path, call, request(method), before=before) == code


@pytest.mark.parametrize(
    "call", ['sl_send_reply("99","x")', 'sl_send_reply("700","x")', 'sl_send_reply("x","x")']
)
def test_a_literal_code_is_checked_when_the_script_is_loaded(tmp_path: Path, call: str) -> None:
    with pytest.raises(ScriptError, match="allowed values: 1xx - 6xx only"):
        Bench(tmp_path, f"{call};")


def test_the_headers_of_a_reply(tmp_path: Path) -> None:
    data = request(
        "SUBSCRIBE", "sip:bob@example.com", "Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>"
    )
    sent = reply(tmp_path, 'append_to_reply("X-Own: 1\\r\\n"); sl_send_reply("202", "Accepted");', data)
    names = [line.split(b":")[0].decode() for line in sent.data.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert sorted(names) == sorted(
        [
            "Via",
            "From",
            "To",
            "Call-ID",
            "CSeq",
            "Record-Route",
            "Record-Route",
            "X-Own",
            "Server",
            "Content-Length",
        ]
    )
    assert sent.all("Record-Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert ";tag=" in sent.get("To")


@pytest.mark.parametrize(
    ("code", "copied"), [(179, False), (180, True), (299, True), (300, False), (404, False)]
)
def test_record_route_is_copied_for_180_to_299(tmp_path: Path, code: int, copied: bool) -> None:
    data = request("INVITE", "sip:bob@example.com", "Record-Route: <sip:p1;lr>")
    sent = reply(tmp_path, f'sl_send_reply("{code}", "Reason");', data)
    assert bool(sent.all("Record-Route")) is copied
    assert (";tag=" in sent.get("To")) is (code >= 180)


@pytest.mark.parametrize(
    ("before", "contact"),
    [
        ('rewriteuri("sip:a@x"); append_branch("sip:b@x");', "sip:a@x, sip:b@x"),
        ('rewriteuri("sip:a@x"); append_branch("sip:b@x","0.5");', "sip:a@x, <sip:b@x>;q=0.5"),
        (";", ""),
    ],
)
def test_a_redirection_names_the_destination_set(tmp_path: Path, before: str, contact: str) -> None:
    assert reply(tmp_path, f'{before} sl_send_reply("302", "Moved");').get("Contact") == contact
    assert reply(tmp_path, f'{before} sl_send_reply("404", "No");').all("Contact") == []


@pytest.mark.parametrize(
    ("call", "start"),
    [
        (";", "500 Server error occurred (1/SL)"),
        ('t_relay("0x02");', "476 Unresolvable destination (476/SL)"),
    ],
)
def test_sl_reply_error_answers_for_the_action_just_before(tmp_path: Path, call: str, start: str) -> None:
    with Bench(tmp_path, f"{call} sl_reply_error();") as bench:
        assert bench.receive(request())[-1].start == f"SIP/2.0 {start}"
        assert bench.value("sent_err_replies", "sl") == 1


def test_an_action_in_between_resets_the_error(tmp_path: Path) -> None:
    with Bench(tmp_path, 't_relay("0x02"); xlog("between"); sl_reply_error();') as bench:
        assert bench.receive(request())[-1].start == "SIP/2.0 500 Server error occurred (1/SL)"


def test_statistics_by_class(tmp_path: Path) -> None:
    with Bench(tmp_path, '$var(c)=$hdr(X-Code); sl_send_reply("$var(c)", "R");') as bench:
        for number, code in enumerate((100, 200, 202, 302, 404, 500, 603)):
            bench.receive(request("OPTIONS", "sip:a@b", f"X-Code: {code}", branch=f"z9hG4bK{number}"))
        names = ["1xx_replies", "2xx_replies", "3xx_replies", "4xx_replies", "5xx_replies", "6xx_replies"]
        assert [bench.value(name, "sl") for name in [*names, "sent_replies"]] == [1, 2, 1, 1, 1, 1, 7]


def test_statistics_can_be_left_out(tmp_path: Path) -> None:
    with Bench(tmp_path, 'sl_send_reply("200", "OK");', more='modparam("sl", "enable_stats", 0)') as bench:
        bench.receive(request())
        assert bench.value("sent_replies", "sl") == 0


@pytest.mark.parametrize("with_transaction", [False, True])
def test_other_modules_answer_through_it(tmp_path: Path, with_transaction: bool) -> None:
    with Bench(tmp_path) as bench:
        sl = bench.server.modules["sl"]
        assert isinstance(sl, Sl)
        run = Run(bench.server, parse_message(request()), bench.phone())
        if with_transaction:
            run.begin_transaction()
        assert sl.send_reply(run, 401, "Unauthorized", "X: y\r\n")
        assert (bench.sent[-1].start, bench.sent[-1].get("X")) == ("SIP/2.0 401 Unauthorized", "y")
        assert bench.value("4xx_replies", "sl") == (not with_transaction)
        ack = Run(bench.server, parse_message(request("ACK")), bench.phone())
        assert not sl.send_reply(ack, 401, "Unauthorized")


@pytest.mark.parametrize("wait", ["sleep(1);", ""])
def test_where_the_route_has_waited_the_reply_is_repeated_until_the_ack(tmp_path: Path, wait: str) -> None:
    """The caller has heard 100 and does not ask again, so nobody else would."""
    with Bench(tmp_path, f'{wait} sl_send_reply("486", "Busy");', modules=("sl", "cfgutils")) as bench:
        bench.receive(request("INVITE"))
        bench.run_for(3)
        busy = [sent for sent in bench.sent if sent.start == "SIP/2.0 486 Busy"]
        assert len(busy) == (3 if wait else 1)
        to_tag = busy[0].get("To").partition(";tag=")[2]
        assert bench.receive(request("ACK", to_tag=to_tag)) == []
        assert bench.run_for(60) == []
        assert bench.server.transactions.servers_in_use == 0
