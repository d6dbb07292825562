"""Scripts as they are written for today's servers: what of it runs, and what is told about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.server import Server
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import Bench, request

KAMAILIO = """#!KAMAILIO
#!define WITH_PRESENCE
#!define FLT_ACC 1
#!substdef "!MY_REALM!example.com!g"
#!ifdef WITH_TLS
enable_tls=yes
#!endif
#!trydef REFUSED 403

debug=2;
loadpath "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "xlog.so"
modparam("tm", "fr_timer", 30);
import_file "local.cfg"
include_file "routes.cfg"

event_route[core:worker-one-init] { xlog("L_ERR", "started"); }

request_route {
    route(REQINIT);
    if (is_method("INVITE|MESSAGE")) { setflag(FLT_ACC); }
#!ifdef WITH_PRESENCE
    if (is_method("PUBLISH|SUBSCRIBE")) route(PRESENCE);
#!else
    if (is_method("PUBLISH|SUBSCRIBE")) { sl_send_reply("404", "Not here"); exit; }
#!endif
    if (!route(KNOWN)) { sl_send_reply("$var(code)", "Unknown at MY_REALM"); exit; }
    sl_send_reply("200", "OK");
}

reply_route { if (status==200) xlog("a reply"); }
"""

ROUTES = """route[REQINIT] {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    $var(code) = REFUSED;
    return;
}
route[KNOWN] {
    if ("bob" == $rU && $tt == $null) return 1;
    return -1;
}
route["PRESENCE"] { sl_send_reply("489", "Bad Event"); exit; }
"""


def kamailio(folder: Path) -> Bench:
    (folder / "routes.cfg").write_text(ROUTES)
    return Bench(folder, script=KAMAILIO)


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (request("OPTIONS"), "200 OK"),
        (request("OPTIONS", "sip:carol@example.com"), "403 Unknown at example.com"),
        (request("OPTIONS", "sip:bob@example.com", "Max-Forwards: 0"), "483 Too Many Hops"),
        (request("PUBLISH"), "489 Bad Event"),
    ],
)
def test_a_script_for_kamailio_runs(tmp_path: Path, message: bytes, answer: str) -> None:
    with kamailio(tmp_path) as bench:
        (sent,) = bench.receive(message)
        assert sent.start == f"SIP/2.0 {answer}"


def test_it_has_no_remarks_but_on_numbers(tmp_path: Path) -> None:
    with kamailio(tmp_path) as bench:
        assert bench.server.loaded is not None
        assert bench.server.loaded.warnings == ()


OPENSIPS = """log_level=3
stderror_enabled=yes
socket=udp:127.0.0.1:5060
udp_workers=4
mpath="/usr/lib/x86_64-linux-gnu/opensips/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "xlog.so"
startup_route { xlog("started"); }
timer_route[gc, 30] { xlog("tick"); }
route {
    if ($rU == NULL && !is_myself("$rd")) { send_reply(484, "Address Incomplete"); exit; }
    setflag("ACC");
    $shv(calls) = 1;
    route(RELAY, 1, "x");
}
route[RELAY] {
    for ($var(i) in $(avp(list)[*])) { xlog("$var(i)"); }
    async(t_relay(), DONE);
    exit;
}
event_route[E_CORE_THRESHOLD] { exit; }
"""


def test_each_word_of_opensips_is_told_once_with_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text(OPENSIPS)
    with pytest.raises(ScriptError) as caught:
        Server().load(path)
    found = [(d.position.line, "OpenSIPS" in f"{d.message} {d.hint}") for d in caught.value.diagnostics]
    assert found == [(line, True) for line in (1, 2, 4, 9, 10, 12, 12, 14, 15, 18, 19, 22)]
