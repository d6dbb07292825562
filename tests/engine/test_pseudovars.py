from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.script.diagnostics import ScriptError
from openpy.script.misfits import TEXTS
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
    'Authorization: Digest username="carol@c.example", realm="r.example", nonce="n", uri="sip:u@h", response="0"',
    "Event: presence",
    "X-List: one",
    "X-List: two",
    "X-List: three",
    body=BODY,
)
PLAIN = request("FROBNICATE", "sip:example.com")


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("setflag(3); setsflag(4); setbflag(31);", "$mf $mF $sf $sF $bf $bF",
         "8 00000008 16 00000010 2147483648 80000000"),
        ('$var(name)="Call-ID";', "$hdr($var(name))", "call-1"),
        ("is_method(\"INVITE\");", "$rc", "-1"),
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
        ("$cs==7", True),
        ("$rs==200", False),
        ("$ci", True),
        ("$hdr(Absent)", False),
        ("$rp==$rp", True),
    ],
)
def test_integer_views_and_null(tmp_path: Path, condition: str, expected: bool) -> None:
    assert is_true(tmp_path, condition, MESSAGE) is expected


def test_what_the_check_takes_for_text_has_no_number(tmp_path: Path) -> None:
    before = '$du = "sip:192.0.2.9"; append_branch("sip:x@192.0.2.8"); '
    route = "".join(f'if ({name} != NULL && !({name} == 0)) xlog("{name[1:]}"); ' for name in sorted(TEXTS))
    with Bench(tmp_path, before + route) as bench:
        bench.receive(MESSAGE)
        assert list(bench.printed()) == []


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
        *("ru", "ruri", "rU", "ruri.user", "rd", "ruri.domain", "du", "duri", "br", "fs", "avp", "var")
    }


# --- section 5 --------------------------------------------------------------------------------------------------

SECTION_5: dict[str, tuple[str, str, str]] = {
    # name in the reference: its names, what they are for MESSAGE, and for a request without any of it
    "$ru ($ruri)": ("$ru $ruri", "sip:bob:secret@example.com:5070;transport=tcp", "sip:example.com"),
    "$rU ($ruri.user)": ("$rU $ruri.user", "bob", "<null>"),
    "$rd ($ruri.domain)": ("$rd $ruri.domain", "example.com", "example.com"),
    "$rp": ("$rp", "5070", "5060"),
    "$rP": ("$rP", "tcp", "UDP"),
    "$ou ($ouri)": ("$ou $ouri", "sip:bob:secret@example.com:5070;transport=tcp", "sip:example.com"),
    "$oU": ("$oU", "bob", "<null>"),
    "$od": ("$od", "example.com", "example.com"),
    "$op": ("$op", "5070", "5060"),
    "$oP": ("$oP", "tcp", "UDP"),
    "$rm": ("$rm", "MESSAGE", "FROBNICATE"),
    "$rs": ("$rs", "<null>", "<null>"),
    "$rr": ("$rr", "<null>", "<null>"),
    "$fu ($from)": ("$fu $from", "sip:alice@atlanta.example", "sip:alice@atlanta.example"),
    "$fU ($from.user)": ("$fU $from.user", "alice", "alice"),
    "$fd ($from.domain)": ("$fd $from.domain", "atlanta.example", "atlanta.example"),
    "$ft": ("$ft", "a1", "a1"),
    "$fn": ("$fn", '"Alice"', '"Alice"'),
    "$tu ($to)": ("$tu $to", "sip:bob@biloxi.example", "sip:bob@biloxi.example"),
    "$tU ($to.user)": ("$tU $to.user", "bob", "bob"),
    "$td ($to.domain)": ("$td $to.domain", "biloxi.example", "biloxi.example"),
    "$tt": ("$tt", "<null>", "<null>"),
    "$tn": ("$tn", "<null>", "<null>"),
    "$ci": ("$ci", "call-1", "call-1"),
    "$cs": ("$cs", "7", "7"),
    "$ct": ("$ct", "<sip:alice@192.0.2.1>;expires=60", "<null>"),
    "$cT": ("$cT", "text/plain", "<null>"),
    "$cl": ("$cl", "5", "0"),
    "$rb": ("$rb", "hello", "<null>"),
    "$ua": ("$ua", "phone/1", "<null>"),
    "$mb": ("$mb", MESSAGE.decode(), PLAIN.decode().removesuffix("\n")),
    "$ml": ("$ml", str(len(MESSAGE)), str(len(PLAIN))),
    "$mi": ("$mi", "1", "1"),
    "$mf": ("$mf", "0", "0"),
    "$mF": ("$mF", "00000000", "00000000"),
    "$bf": ("$bf", "0", "0"),
    "$bF": ("$bF", "00000000", "00000000"),
    "$sf": ("$sf", "0", "0"),
    "$sF": ("$sF", "00000000", "00000000"),
    "$si ($src_ip)": ("$si $src_ip", "192.0.2.1", "192.0.2.1"),
    "$sp": ("$sp", "5066", "5066"),
    "$Ri": ("$Ri", "127.0.0.1", "127.0.0.1"),
    "$Rp": ("$Rp", "5060", "5060"),
    "$pr ($proto)": ("$pr $proto", "UDP", "UDP"),
    "$du ($duri)": ("$du $duri", "<null>", "<null>"),
    "$dd": ("$dd", "<null>", "<null>"),
    "$dp": ("$dp", "<null>", "<null>"),
    "$dP": ("$dP", "<null>", "<null>"),
    "$ds": ("$ds", "<null>", "<null>"),
    "$br": ("$br", "<null>", "<null>"),
    "$bR": ("$bR", "<null>", "<null>"),
    "$fs": ("$fs", "<null>", "<null>"),
    "$au": ("$au", "carol", "<null>"),
    "$aU, mended": ("$aU", "carol@c.example", "<null>"),
    "$ar": ("$ar", "r.example", "<null>"),
    "$adu": ("$adu", "sip:u@h", "<null>"),
    "$Au": ("$Au", "alice@atlanta.example", "alice@atlanta.example"),
    "$ai": ("$ai", "sip:asserted@example.com", "<null>"),
    "$pu": ("$pu", "sip:preferred@p.example", "<null>"),
    "$pU": ("$pU", "preferred", "<null>"),
    "$pd": ("$pd", "p.example", "<null>"),
    "$pn": ("$pn", '"Pref"', "<null>"),
    "$re": ("$re", "sip:remote@example.com", "<null>"),
    "$rt": ("$rt", "sip:refer@example.com", "<null>"),
    "$di": ("$di", "sip:diverted@example.com", "<null>"),
    "$rc ($retcode)": ("$rc $retcode", "1", "1"),
    "$pp": ("$pp", str(os.getpid()), str(os.getpid())),
    "$Ts": ("$Ts", str(int(EPOCH + 100)), str(int(EPOCH + 100))),
    "$Tf": ("$Tf", time.ctime(EPOCH + 100), time.ctime(EPOCH + 100)),
    "$err.class": ("$err.class", "0", "0"),
    "$err.level": ("$err.level", "0", "0"),
    "$err.rcode": ("$err.rcode", "0", "0"),
    "$err.info": ("$err.info", "<null>", "<null>"),
    "$err.rreason": ("$err.rreason", "<null>", "<null>"),
    "$hdr(name)": ("$hdr(X-List) $hdr(x-list)", "one", "<null>"),
    "$(hdr(name)[i])": ("$(hdr(X-List)[1])", "two", "<null>"),
    "$(hdr(name)[*]), mended": ("$(hdr(X-List)[*])", "one, two, three", "<null>"),
    "$hdr($var(n))": ("$hdr($var(n))", "one", "<null>"),
    "$avp(s:name)": ("$avp(s:x)", "2", "2"),
    "$(avp(s:name)[*])": ("$(avp(s:x)[*])", "2, 1", "2, 1"),
    "$avp(alias)": ("$avp(serial_branch)", "<null>", "<null>"),
    "$var(name)": ("$var(unset)", "0", "0"),
    "$$": ("$$", "$", "$"),
}


@pytest.mark.parametrize("row", SECTION_5)
def test_section_5(tmp_path: Path, row: str) -> None:
    names, full, short = SECTION_5[row]
    before = '$avp(s:x)=1; $avp(s:x)=2; $var(n)="X-List";'
    count = len(names.split())
    for message, expected in ((MESSAGE, full), (PLAIN, short)):
        text = "|".join(names.split())
        assert evaluate(tmp_path, text, message, before=before) == "|".join([expected] * count)


def test_each_pseudo_variable_has_its_row() -> None:
    named = {name for names, _, _ in SECTION_5.values() for name in re.findall(r"\$\(?([\w.]+)", names)}
    assert named - {"unset"} >= set(PSEUDO_VARIABLES)


def test_the_first_of_a_list_of_identities_counts(tmp_path: Path) -> None:
    message = request("INVITE", "sip:b@h", 'P-Asserted-Identity: "A, B" <sip:a@h>, <tel:+1>')
    assert evaluate(tmp_path, "$ai", message) == "sip:a@h"


def test_a_run_stays_at_its_time_and_number_while_it_waits(tmp_path: Path) -> None:
    route = 'xlog("$Ts $mi"); forward(); xlog("$Ts $mi");'
    with Bench(tmp_path, route) as bench:
        bench.receive(request(uri="sip:192.0.2.9;transport=tcp"))
        bench.clock.now += 5
        bench.receive(request("ACK", "sip:192.0.2.9", to_tag="x"))
        bench.server.connecting[0][1].resolve(None)
        first, other, _, last = bench.printed()
        assert (first, other) == (f"{int(EPOCH + 100)} 1", f"{int(EPOCH + 105)} 2")
        assert last == first


# --- section 3.8 --------------------------------------------------------------------------------------------------

ERRORS = 'error_route { xlog("$err.class $err.level $err.rcode $err.rreason: $err.info"); }'


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param('$ru="none"; $var(x)=$rU;', "bad r-uri: error parsing r-uri", id="$rU"),
        pytest.param('$ru="none"; $var(x)=$rd;', "bad r-uri: error parsing r-uri", id="$rd"),
        pytest.param('$ru="none"; rewritehost("h");', "bad r-uri: error parsing r-uri", id="rewritehost"),
        pytest.param('$ru="none"; $rd="h";', "bad r-uri: error parsing r-uri", id="$rd="),
        pytest.param('$ru="none"; if (uri==myself) ;', "bad uri: error parsing uri", id="uri==myself"),
        pytest.param('$du="none"; $var(x)=$dd;', "bad dst uri: error parsing dst uri", id="$dd"),
        pytest.param('$ru="none"; forward();', "bad r-uri: error parsing r-uri", id="forward"),
        pytest.param('$du="none"; forward();', "bad dst uri: error parsing dst uri", id="forward to $du"),
        pytest.param('$ru="none"; t_relay("0x02");', "bad r-uri: error parsing r-uri", id="t_relay"),
        pytest.param(
            "$var(x)=$au;",
            "bad Authorization header: error parsing Authorization header",
            id="$au",
        ),
        pytest.param(
            "if ($ai==NULL) ;",
            "bad P-Asserted-Identity header: error parsing P-Asserted-Identity header",
            id="$ai",
        ),
    ],
)
def test_section_3_8(tmp_path: Path, route: str, expected: str) -> None:
    message = request("MESSAGE", "sip:b@h", "P-Asserted-Identity: <sip:a", "Authorization: Basic x")
    with Bench(tmp_path, f'{route} xlog("$err.class on");', more=ERRORS) as bench:
        bench.receive(message)
        assert list(bench.printed()) == [f"1 3 400 {expected}", "0 on"]
