from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, Sent, answer, code_of, request

DESTINATION = "sip:bob@192.0.2.9"
SDP = request(
    "INVITE", DESTINATION, "Content-Type: application/sdp;x=y", "Subject: Hello World", body=b"v=0\r\n"
)
UNTYPED = request("INVITE", DESTINATION, body=b"v=0\r\n")
PLAIN = request("OPTIONS", DESTINATION, "X-A: 1", "s: compact", "X-A: 2", "X-B: 3")


def relayed(folder: Path, route: str, data: bytes = PLAIN) -> Sent:
    with Bench(folder, f"{route} t_relay();") as bench:
        return bench.receive(data)[-1]


@pytest.mark.parametrize(
    ("call", "data", "code"),
    [
        ('is_method("INVITE")', SDP, 1),
        ('is_method("INVITE|ACK")', SDP, 1),
        ('is_method("BYE | invite")', SDP, 1),
        ('is_method("ACK")', SDP, -1),
        ('is_method("frobnicate")', request("FROBNICATE"), 1),
        ('is_method("INVITE")', request("invite"), 1),
        ('search("^Subject: hello")', SDP, 1),
        ('search("^INVITE sip")', SDP, 1),
        ('search("^World")', SDP, -1),
        ("has_body()", SDP, 1),
        ("has_body()", PLAIN, -1),
        ("has_body()", SDP.replace(b"Content-Length: 5", b"X: 5"), -1),
        ('has_body("application/sdp")', SDP, 1),
        ('has_body("APPLICATION/SDP")', SDP, 1),
        ('has_body("text/plain")', SDP, -1),
        ('has_body("application/sdp")', SDP.replace(b"application/sdp", b"Application / SDP "), 1),
        ('has_body("application/sdp")', UNTYPED, 1),
        ('has_body("text/plain")', UNTYPED, -1),
        ('is_present_hf("Subject")', PLAIN, 1),
        ('is_present_hf("s")', PLAIN, 1),
        ('is_present_hf("x-a")', PLAIN, 1),
        ('is_present_hf("X-A: ")', PLAIN, 1),
        ('is_present_hf("X-C")', PLAIN, -1),
        ('remove_hf("X-A")', PLAIN, 1),
        ('remove_hf("X-C")', PLAIN, -1),
        ('append_hf("X-C: 1\\r\\n")', PLAIN, 1),
        ('append_to_reply("X-C: 1\\r\\n")', PLAIN, 1),
    ],
)
def test_return_codes(tmp_path: Path, call: str, data: bytes, code: int) -> None:
    assert code_of(tmp_path, call, data) == code


@pytest.mark.pure
def test_a_length_that_cannot_be_read_is_no_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpy.engine.dispatch.check_request", lambda request, limits: None)
    assert code_of(tmp_path, "has_body()", SDP.replace(b"Content-Length: 5", b"Content-Length: x")) == -1


@pytest.mark.pure
def test_in_a_reply_the_method_is_that_of_the_cseq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """loadmodule "xlog.so" loadmodule "textops.so"
        onreply_route { if (is_method("INVITE")) xlog("invite"); else xlog("other"); }"""
    with Bench(tmp_path, script=script) as bench:
        for data in (request("INVITE"), request("BYE")):
            bench.phone().send(data)
            bench.receive(answer(bench.sent[-1], 200))
        monkeypatch.setattr("openpy.engine.dispatch.check_response", lambda response, limits: None)
        bench.receive(answer(bench.sent[0], 200).replace(b"CSeq: 7", b"CSeq: x"))
        assert list(bench.printed()) == ["invite", "other", "other"]


def test_removed_headers_are_gone_in_every_spelling(tmp_path: Path) -> None:
    sent = relayed(tmp_path, 'remove_hf("X-A"); remove_hf("Subject");')
    assert (sent.all("X-A"), sent.all("s"), sent.all("X-B")) == ([], [], ["3"])


def test_appended_headers_come_last_or_after_a_name(tmp_path: Path) -> None:
    sent = relayed(tmp_path, 'append_hf("X-New: of $fU\\r\\n"); append_hf("X-After: 1\\r\\n", "X-A");')
    lines = sent.data.decode().split("\r\n\r\n")[0].split("\r\n")
    assert lines[-1] == "X-New: of alice"
    assert lines.index("X-After: 1") == lines.index("X-A: 1") + 1


def test_after_a_name_that_is_absent_means_last(tmp_path: Path) -> None:
    sent = relayed(tmp_path, 'append_hf("X-After: 1\\r\\n", "X-C");')
    assert sent.data.decode().split("\r\n\r\n")[0].endswith("X-After: 1")


def test_what_a_script_reads_is_what_was_received(tmp_path: Path) -> None:
    route = (
        'remove_hf("X-B"); if (is_present_hf("X-B")) xlog("$hdr(X-B)"); if (remove_hf("X-B")) xlog("again");'
    )
    with Bench(tmp_path, route) as bench:
        bench.receive(PLAIN)
        assert list(bench.printed()) == ["3", "again"]


def test_header_text_has_no_empty_line(tmp_path: Path) -> None:
    """It would end the headers."""
    route = """$avp(s:e) = ""; $avp(s:l) = "X-1: 1\r\n\r\nX-2: 2\n\n";
        append_hf("$avp(s:e)"); insert_hf("$avp(s:e)"); append_hf("$avp(s:l)"); insert_hf("\r\n", "X-A");
        append_to_reply("$avp(s:e)"); append_to_reply("$avp(s:l)");
        sl_send_reply("200", "OK"); t_relay();"""
    with Bench(tmp_path, route) as bench:
        for sent in bench.receive(request("MESSAGE", DESTINATION, "X-A: 1", body=b"hello")):
            assert (sent.get("X-1"), sent.get("X-2"), sent.get("Content-Length")) == (
                *("1", "2"),
                str(len(sent.data.partition(b"\r\n\r\n")[2])),
            )
            assert b"\n\n" not in sent.data


def test_text_for_replies_is_in_each_reply_made_here(tmp_path: Path) -> None:
    route = 'append_to_reply("X-1: $rm\\r\\n"); append_to_reply("X-2: b\\r\\n"); sl_send_reply("200", "OK"); t_relay();'
    with Bench(tmp_path, route) as bench:
        reply, request_sent = bench.receive(PLAIN)
        assert (reply.get("X-1"), reply.get("X-2")) == ("OPTIONS", "b")
        assert request_sent.all("X-1") == []


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('is_method("INVITE|FROB")', 'unknown method "FROB"'),
        ('is_method("INVITE|")', "unknown method"),
        ('is_method("")', "unknown method"),
        ('has_body("sdp")', "write type/subtype"),
        ('has_body("application/")', "write type/subtype"),
        ('remove_hf("")', "a header name is needed"),
        ('is_present_hf(" : ")', "a header name is needed"),
        ('search("(")', "argument 1 of search"),
        ('append_hf("$nothing")', "nothing"),
    ],
)
def test_arguments_are_checked_when_the_script_is_loaded(tmp_path: Path, call: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        Bench(tmp_path, f"{call};")


# --- further headers, the Request-URI, the body -------------------------------------------------------------------


def message_after(tmp_path: Path, call: str, *headers: str, body: bytes = b"") -> Sent:
    with Bench(tmp_path, f"{call}; t_relay();") as bench:
        (sent,) = bench.receive(request("MESSAGE", "sip:bob@192.0.2.9", *headers, body=body))
        return sent


@pytest.mark.parametrize(
    ("call", "before"),
    [('insert_hf("X-New: 1\\r\\n")', "Via"), ('insert_hf("X-New: 1", "Call-ID")', "Call-ID")],
)
def test_inserted_headers_come_first_or_before_a_name(tmp_path: Path, call: str, before: str) -> None:
    lines = message_after(tmp_path, call).data.decode().split("\r\n")
    at = lines.index("X-New: 1")
    names = [line.partition(":")[0] for line in lines]
    assert names[at + 1] == before


def test_the_request_uri_in_a_header(tmp_path: Path) -> None:
    sent = message_after(tmp_path, '$ru = "sip:x@192.0.2.9"; append_urihf("X-Was: <", ">")')
    assert (sent.start, sent.get("X-Was")) == ("MESSAGE sip:x@192.0.2.9 SIP/2.0", "<sip:bob@192.0.2.9>")


def test_the_time_is_in_each_reply_made_here(tmp_path: Path) -> None:
    with Bench(tmp_path, 'append_time(); sl_send_reply("200", "OK");') as bench:
        (reply,) = bench.receive(request())
        assert reply.get("Date") == "Sun, 13 Sep 2020 12:28:20 GMT"


@pytest.mark.parametrize(
    ("call", "code", "uri"),
    [
        ("subst_uri('/bob/alice/')", 1, "sip:alice@192.0.2.9"),
        ("subst_uri('/nobody/alice/')", -1, "sip:bob@192.0.2.9"),
        ("subst_uri('/bob/a\\nb/')", -1, "sip:bob@192.0.2.9"),
        ("subst_user('/^(.*)$/+\\1/')", 1, "sip:+bob@192.0.2.9"),
        ("subst_user('/x/y/')", -1, "sip:bob@192.0.2.9"),
        ("1; $ru = \"tel:+1;a=b\"; $var(c) = subst_user('/^[+]/00/')", 1, "tel:001;a=b"),
    ],
)
def test_substitutions_in_the_request_uri(tmp_path: Path, call: str, code: int, uri: str) -> None:
    with Bench(tmp_path, f'$var(c) = {call}; xlog("$var(c) $ru");') as bench:
        bench.receive(request(uri="sip:bob@192.0.2.9"))
        assert list(bench.printed()) == [f"{code} {uri}"]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (["Privacy: id;critical"], ["id", "critical"]),
        (["Privacy: Header", "Privacy: user"], ["header", "user"]),
        ([], []),
    ],
)
def test_is_privacy(tmp_path: Path, headers: list[str], told: list[str]) -> None:
    kinds = ("header", "session", "user", "none", "critical", "id", "history")
    route = "".join(f'if (is_privacy("{kind}")) xlog("{kind}");' for kind in kinds)
    with Bench(tmp_path, route) as bench:
        bench.receive(request("MESSAGE", "sip:bob@192.0.2.9", *headers))
        assert sorted(bench.printed()) == sorted(told)


@pytest.mark.parametrize(("body", "code"), [(b"some text", 1), (b"other", -1), (b"", -1)])
def test_search_body(tmp_path: Path, body: bytes, code: int) -> None:
    with Bench(tmp_path, '$var(c) = search_body("te.t|^$"); xlog("$var(c)");') as bench:
        bench.receive(request(body=body))
        assert list(bench.printed()) == [str(code)]


MIXED = b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("multipart/mixed;boundary=b", True),
        ("multipart/mixed", False),
        ("text/plain", False),
        ("nonsense", False),
    ],
)
def test_filter_body(tmp_path: Path, written: str, kept: bool) -> None:
    sent = message_after(tmp_path, 'filter_body("application/sdp")', f"Content-Type: {written}", body=MIXED)
    body = sent.data.partition(b"\r\n\r\n")[2]
    assert (sent.all("Content-Type"), body) == (["application/sdp"], b"v=0") if kept else ([written], MIXED)
    assert sent.get("Content-Length") == str(len(body))


PARTS = (
    b"--b\r\nContent-Type: Multipart/Alternative;\r\n boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n"
    b"--b\r\n\r\none\r\n\r\ntwo\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("call", "type_", "body"),
    [
        (
            'filter_body("multipart/alternative")',
            "Multipart/Alternative; boundary=c",
            b"--c\r\n\r\nx\r\n--c--",
        ),
        ('filter_body("text/plain")', "text/plain", b"one\r\n\r\ntwo"),
        ('filter_body("text/plain"); $var(c) = filter_body("text/plain")', "text/plain", b"one\r\n\r\ntwo"),
        (
            'filter_body("text/plain"); $var(c) = filter_body("multipart/alternative")',
            *("text/plain", b"one\r\n\r\ntwo"),
        ),
    ],
)
def test_a_part_is_what_it_was(tmp_path: Path, call: str, type_: str, body: bytes) -> None:
    sent = message_after(tmp_path, call, "Content-Type: multipart/mixed;boundary=b", body=PARTS)
    assert (sent.all("Content-Type"), sent.data.partition(b"\r\n\r\n")[2]) == ([type_], body)


def test_a_body_is_filtered_once(tmp_path: Path) -> None:
    route = """$var(a) = filter_body("text/plain"); $var(b) = filter_body("text/plain");
        $var(c) = filter_body("multipart/alternative"); xlog("$var(a) $var(b) $var(c)");"""
    with Bench(tmp_path, route) as bench:
        bench.receive(request("MESSAGE", "sip:x", "Content-Type: multipart/mixed;boundary=b", body=PARTS))
        assert list(bench.printed()) == ["1 1 -1"]
