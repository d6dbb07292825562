from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import EPOCH, Bench, answer, evaluate, is_true, request

BODY = b"hello"
MESSAGE = request(
    "MESSAGE",
    "sip:bob:secret@example.com:5070;transport=tcp",
    "Contact: <sip:alice@192.0.2.1>;expires=60",
    "Content-Type: text/plain",
    "User-Agent: phone/1",
    'P-Asserted-Identity: "A" <sip:asserted@example.com>',
    'P-Preferred-Identity: "Pref" <sip:preferred@p.example>',
    "Remote-Party-ID: <sip:remote@example.com>",
    "Refer-To: <sip:refer@example.com>",
    "Diversion: <sip:diverted@example.com>",
    "Event: presence",
    "X-List: one",
    "X-List: two",
    "X-List: three",
    body=BODY,
)
PLAIN = request("FROBNICATE", "sip:example.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$ru", "sip:bob:secret@example.com:5070;transport=tcp"),
        ("$ruri", "sip:bob:secret@example.com:5070;transport=tcp"),
        ("$rU $ruri.user", "bob bob"),
        ("$rd $ruri.domain", "example.com example.com"),
        ("$rp", "5070"),
        ("$rP", "tcp"),
        ("$ou", "sip:bob:secret@example.com:5070;transport=tcp"),
        ("$ouri", "sip:bob:secret@example.com:5070;transport=tcp"),
        ("$oU $od $op $oP", "bob example.com 5070 tcp"),
        ("$rm", "MESSAGE"),
        ("$rs $rr", "<null> <null>"),
        ("$fu $from", "sip:alice@atlanta.example sip:alice@atlanta.example"),
        ("$fU $from.user", "alice alice"),
        ("$fd $from.domain", "atlanta.example atlanta.example"),
        ("$ft", "a1"),
        ("$fn", '"Alice"'),
        ("$tu $to", "sip:bob@biloxi.example sip:bob@biloxi.example"),
        ("$tU $to.user", "bob bob"),
        ("$td $to.domain", "biloxi.example biloxi.example"),
        ("$tt $tn", "<null> <null>"),
        ("$ci", "call-1"),
        ("$cs", "7"),
        ("$ct", "<sip:alice@192.0.2.1>;expires=60"),
        ("$cT", "text/plain"),
        ("$cl", "5"),
        ("$rb", "hello"),
        ("$ua", "phone/1"),
        ("$mb", MESSAGE.decode()),
        ("$ml", str(len(MESSAGE))),
        ("$mi", "1"),
        ("$si $src_ip $sp", "192.0.2.1 192.0.2.1 5066"),
        ("$Ri $Rp", "127.0.0.1 5060"),
        ("$pr $proto", "UDP UDP"),
        ("$du $duri $dd $dp $dP", "<null> <null> <null> <null> <null>"),
        ("$ds $br $bR", "<null> <null> <null>"),
        ("$mf $mF $bf $bF $sf $sF", "0 00000000 0 00000000 0 00000000"),
        ("$ai", "sip:asserted@example.com"),
        ("$pu $pU $pd $pn", 'sip:preferred@p.example preferred p.example "Pref"'),
        ("$re", "sip:remote@example.com"),
        ("$rt", "sip:refer@example.com"),
        ("$di", "sip:diverted@example.com"),
        ("$Ts", str(int(EPOCH + 100))),
        ("$Tf", time.ctime(EPOCH + 100)),
        ("$rc $retcode", "1 1"),
        ("$hdr(Event)", "presence"),
        ("$hdr(o)", "presence"),
        ("$hdr(event)", "presence"),
        ("$hdr(X-List)", "one"),
        ("$(hdr(X-List)[1])", "two"),
        ("$(hdr(X-List)[-1])", "three"),
        ("$(hdr(X-List)[3])", "<null>"),
        ("$(hdr(X-List)[*])", "one, two, three"),
        ("$(hdr(Absent)[*])", "<null>"),
        ("$hdr(Absent)", "<null>"),
        ("$hdr($var(name))", "<null>"),
        ("$$", "$"),
    ],
)
def test_pseudo_variables_of_a_request(tmp_path: Path, text: str, expected: str) -> None:
    assert evaluate(tmp_path, text, MESSAGE) == expected


def test_pp_is_the_process(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "$pp", MESSAGE) == str(os.getpid())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$rU", "<null>"),
        ("$rp $rP", "5060 UDP"),
        ("$ct $cT $ua $rb", "<null> <null> <null> <null>"),
        ("$cl", "0"),
        ("$ai $pu $pU $pd $pn $re $rt $di", " ".join(["<null>"] * 8)),
        ("$tt", "<null>"),
    ],
)
def test_what_a_message_lacks_is_null(tmp_path: Path, text: str, expected: str) -> None:
    assert evaluate(tmp_path, text, PLAIN) == expected


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ('$ru="sip:carol@chicago.example";', "$ru $ou", "sip:carol@chicago.example sip:bob@example.com"),
        ('$ruri="sip:c@d";', "$ru", "sip:c@d"),
        ('$rU="carol";', "$ru", "sip:carol@example.com"),
        ('$ruri.user="carol";', "$rU", "carol"),
        ("$rU=NULL;", "$ru", "sip:example.com"),
        ("$rU=123;", "$ru $rc", "sip:bob@example.com -1"),
        ('$rd="h.example";', "$ru", "sip:bob@h.example"),
        ('$ruri.domain="h.example";', "$rd", "h.example"),
        ("$rd=5;", "$ru $rc", "sip:bob@example.com -1"),
        ("$ru=5;", "$ru $rc", "sip:bob@example.com -1"),
        ('$du="sip:10.0.0.1:5070;transport=tcp";', "$dd $dp $dP", "10.0.0.1 5070 tcp"),
        ('$duri="sip:10.0.0.1";', "$du $dd $dp $dP", "sip:10.0.0.1 10.0.0.1 5060 UDP"),
        ('$du="sip:10.0.0.1"; $du=NULL;', "$du", "<null>"),
        ("$du=5;", "$du $rc", "<null> -1"),
        ('$br="sip:a@b"; $br="sip:c@d";', "$br - $bR", "sip:a@b - sip:a@b, sip:c@d"),
        ("$br=5;", "$br $rc", "<null> -1"),
        ('$ru="sip:x@y"; append_branch("sip:a@b","0.5");', "$ds", "Contact: sip:x@y, <sip:a@b>;q=0.5"),
        ('append_branch("sip:a@b");', "$ds $bR", "Contact: sip:a@b sip:a@b"),
        ("setflag(3); setsflag(4); setbflag(31);", "$mf $mF $sf $sF $bf $bF",
         "8 00000008 16 00000010 2147483648 80000000"),
        ('$var(name)="Call-ID";', "$hdr($var(name))", "call-1"),
        ("is_method(\"INVITE\");", "$rc", "-1"),
        ("$rU=$hdr(Absent);", "$ru $rc", "sip:bob@example.com -1"),
    ],
)  # fmt: skip
def test_what_a_script_changes(tmp_path: Path, before: str, text: str, expected: str) -> None:
    assert evaluate(tmp_path, text, request(), before=before) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("$sp==5066", True),
        ("$rp>5060", True),
        ("$cl==5", True),
        ("$pr==1", True),
        ("$rP==2", True),
        ("$rm==256", True),
        ('$rm=="message"', True),
        ("$tt==NULL", True),
        ("$hdr(Absent)==NULL", True),
        ('$hdr(Absent)!="x"', True),
        ("$cs==7", False),
        ("$rs==200", False),
        ("$ci", True),
        ("$hdr(Absent)", False),
        ("$rp==$rp", True),
    ],
)
def test_integer_views_and_null(tmp_path: Path, condition: str, expected: bool) -> None:
    assert is_true(tmp_path, condition, MESSAGE) is expected


def test_other_methods_have_a_number_too(tmp_path: Path) -> None:
    assert is_true(tmp_path, '$rm==16384 && $rm=="FROBNICATE"', PLAIN)


def test_pseudo_variables_of_a_reply(tmp_path: Path) -> None:
    names = "ru rU rp ou oP rm rs rr fU tU tt cs ds"
    script = f"""loadmodule "xlog.so"
        route {{ exit; }}
        onreply_route {{ xlog("{" ".join("$" + name for name in names.split())}"); }}"""
    with Bench(tmp_path, script=script) as bench:
        bench.phone().send(request())
        bench.receive(answer(bench.sent[0], 486, "Busy"))
        expected = "<null> <null> <null> <null> <null> OPTIONS 486 Busy alice bob b1 7 <null>"
        assert list(bench.printed()) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (b'From: "Alice" <sip:alice@atlanta.example>', b"From: <tel:+1>", "$fu"),
        (b"Content-Length: 0", b"X: 0", "$cl"),
    ],
)
def test_unusual_messages(tmp_path: Path, old: bytes, new: bytes, text: str) -> None:
    expected = {"$fu": "tel:+1", "$cl": "<null>"}[text]
    assert evaluate(tmp_path, text, request().replace(old, new)) == expected


def test_bytes_that_are_no_utf_8_survive(tmp_path: Path) -> None:
    message = request("OPTIONS", "sip:bob@example.com", "Subject: x").replace(b"Subject: x", b"Subject: \xff")
    assert evaluate(tmp_path, "$hdr(Subject)", message).encode("utf-8", "surrogateescape") == b"\xff"


@pytest.mark.parametrize("text", ["$hdr()", "$hdr", "$nothing", "$(ru[1])", "$ru(x)"])
def test_what_names_nothing_is_told_when_the_script_is_loaded(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScriptError):
        evaluate(tmp_path, text, request())


def test_what_1_3_does_not_assign_is_read_only() -> None:
    assignable = {name for name, spec in PSEUDO_VARIABLES.items() if spec.bind_setter is not None}
    assert assignable == {
        *("ru", "ruri", "rU", "ruri.user", "rd", "ruri.domain", "du", "duri", "br", "avp", "var")
    }
