"""Section 4 of the language: a row for each core function of OpenSER 1.3. More about each is with the file it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.script.corenames import BARE_COMMANDS, FIRST_NAMES
from tests.engine.kit import Bench, request

URI = "sip:bob:pw@192.0.2.9:5070;lr"

SECTION_4: dict[str, tuple[str, str]] = {
    "forward()": ("$var(c)=forward();", "1 > udp:192.0.2.9:5070"),
    "forward(host)": ('$var(c)=forward("udp:192.0.2.20:5080");', "1 > udp:192.0.2.20:5080"),
    "send": ('$var(c)=send("192.0.2.20");', "1 > udp:192.0.2.20:5060"),
    "log(S)": ('$var(c)=log("text");', "1"),
    "log(N,S)": ('$var(c)=log(1, "text");', "1"),
    "error": ('$var(c)=error("a", "b");', "1"),
    "exit": ("exit;", ""),
    "drop": ("drop;", ""),
    "return": ("return;", ""),
    "route": ("$var(c)=route(7);", "7"),
    "setflag": ("$var(c)=setflag(3);", "1 mf=8"),
    "resetflag": ("setflag(3); $var(c)=resetflag(3);", "1"),
    "isflagset": ("$var(c)=isflagset(3);", "-1"),
    "setsflag": ("$var(c)=setsflag(3);", "1 sf=8"),
    "resetsflag": ("setsflag(3); $var(c)=resetsflag(3);", "1"),
    "issflagset": ("$var(c)=issflagset(3);", "-1"),
    "setbflag": ("$var(c)=setbflag(3);", "1 bf=8"),
    "setbflag(branch,N)": ("$var(c)=setbflag(1,3);", "-1"),
    "resetbflag": ("setbflag(3); $var(c)=resetbflag(3);", "1"),
    "isbflagset": ("$var(c)=isbflagset(3);", "-1"),
    "rewritehost": ('$var(c)=rewritehost("h2");', "1 ru=sip:bob:pw@h2:5070;lr"),
    "rewritehostport": ('$var(c)=rewritehostport("h2");', "1 ru=sip:bob:pw@h2;lr"),
    "rewriteport": ('$var(c)=rewriteport("9");', "1 ru=sip:bob:pw@192.0.2.9:9;lr"),
    "rewriteuser": ('$var(c)=rewriteuser("x");', "1 ru=sip:x:pw@192.0.2.9:5070;lr"),
    "rewriteuserpass": ('$var(c)=rewriteuserpass("x:y");', "1 ru=sip:x:y@192.0.2.9:5070;lr"),
    "rewriteuri": ('$var(c)=rewriteuri("sip:x@y");', "1 ru=sip:x@y"),
    "prefix": ('$var(c)=prefix("0");', "1 ru=sip:0bob:pw@192.0.2.9:5070;lr"),
    "strip": ("$var(c)=strip(1);", "1 ru=sip:ob:pw@192.0.2.9:5070;lr"),
    "strip_tail": ("$var(c)=strip_tail(1);", "1 ru=sip:bo:pw@192.0.2.9:5070;lr"),
    "revert_uri": ('rewriteuri("sip:x@y"); $var(c)=revert_uri();', "1"),
    "append_branch()": ("$var(c)=append_branch();", f"1 br={URI}"),
    "append_branch(S)": ('$var(c)=append_branch("sip:x@y");', "1 br=sip:x@y"),
    "append_branch(S,q)": ('$var(c)=append_branch("sip:x@y", "0.5");', "1 br=<sip:x@y>;q=0.5"),
    "setdsturi": ('$var(c)=setdsturi("sip:hop");', "1 du=sip:hop"),
    "resetdsturi": ('setdsturi("sip:hop"); $var(c)=resetdsturi();', "1"),
    "isdsturiset": ("$var(c)=isdsturiset();", "-1"),
    "force_rport": ("$var(c)=force_rport();", "1"),
    "force_local_rport": ("$var(c)=force_local_rport();", "1"),
    "force_tcp_alias": ("$var(c)=force_tcp_alias();", "1"),
    "force_tcp_alias(port)": ("$var(c)=force_tcp_alias(5070);", "1"),
    "set_advertised_address": ("$var(c)=set_advertised_address(far.example);", "1"),
    "set_advertised_port": ("$var(c)=set_advertised_port(5070);", "1"),
    "force_send_socket": ("$var(c)=force_send_socket(udp:127.0.0.1);", "1 fs=udp:127.0.0.1"),
    "serialize_branches": (
        'append_branch("sip:x@y", "0.5"); $var(c)=serialize_branches(1);',
        "1 avp=sip:x@y",
    ),
    "next_branches": ("$var(c)=next_branches();", "-1"),
    "use_blacklist": ('$var(c)=use_blacklist("gw");', "1"),
    "setdebug(N)": ("$var(c)=setdebug(3);", "1"),
    "setdebug()": ("$var(c)=setdebug();", "1"),
    "pv_printf(pv)": ('$var(c)=pv_printf($avp(serial_branch) , "$rm");', "1 avp=OPTIONS"),
    "pv_printf(text)": ('$var(c)=pv_printf("$avp(serial_branch)", "$rm");', "1 avp=OPTIONS"),
}


@pytest.mark.parametrize("row", SECTION_4)
def test_section_4(tmp_path: Path, row: str) -> None:
    """The code of a call, and what is different after it."""
    call, expected = SECTION_4[row]
    more = 'dst_blacklist=gw:{(any,192.0.2.1,0,"")}\nroute[7] { return(7); }'
    look = 'xlog("$var(c) mf=$mf sf=$sf bf=$bf ru=$ru br=$bR du=$du avp=$avp(serial_branch) fs=$fs");'
    with Bench(tmp_path, f"{call} {look}", more=more) as bench:
        sent = "".join(f" > {sent.to}" for sent in bench.receive(request(uri=URI)))
        port = bench.server.sockets.endpoints[0].port
        usual = {"mf=0", "sf=0", "bf=0", f"ru={URI}", "br=<null>", "du=<null>", "avp=<null>", "fs=<null>"}
        changed = [part for line in bench.printed() for part in line.split() if part not in usual]
        assert " ".join(changed).replace(f":{port}", "") + sent == expected


def test_each_name_of_1_3_is_there() -> None:
    names = {row.partition("(")[0] for row in SECTION_4} - {"exit", "drop", "return", "route"}
    assert names == set(CORE_FUNCTIONS)
    assert set(FIRST_NAMES.values()) <= names
    assert names >= BARE_COMMANDS


@pytest.mark.parametrize("name", sorted(FIRST_NAMES))
def test_another_name_means_the_same(tmp_path: Path, name: str) -> None:
    call = SECTION_4[next(row for row in SECTION_4 if row.partition("(")[0] == FIRST_NAMES[name])][0]
    assert f"={FIRST_NAMES[name]}(" in call
    more = 'dst_blacklist=gw:{(any,192.0.2.1,0,"")}'
    Bench(tmp_path, call.replace(f"={FIRST_NAMES[name]}(", f"={name}("), more=more).close()


@pytest.mark.parametrize("name", sorted(BARE_COMMANDS))
def test_these_need_no_parentheses(tmp_path: Path, name: str) -> None:
    Bench(tmp_path, f"{name}; if ({name}) exit;").close()


def test_each_function_is_documented() -> None:
    assert all(function.doc for function in CORE_FUNCTIONS.values())
