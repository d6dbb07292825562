"""8: what a request meets on its way through the script, from line to line and from route to route."""

from __future__ import annotations

from openpy.script.rules.rule import WarningRule

NEVER_RUN = WarningRule(
    "W801",
    "never-run",
    "Every way to this place ends before it.",
    """\
route {
    exit;
    log("done");
}
""",
    """\
route {
    log("done");
    exit;
}
""",
)

ANSWERED_TWICE = WarningRule(
    "W802",
    "answered-twice",
    "A request gets one final reply. On this way through the script it gets two; most often an `exit` is missing after"
    " the first.",
    """\
loadmodule "sl.so"
route {
    if ($rU == NULL) {
        sl_send_reply("484", "Address Incomplete");
    }
    sl_send_reply("200", "OK");
}
""",
    """\
loadmodule "sl.so"
route {
    if ($rU == NULL) {
        sl_send_reply("484", "Address Incomplete");
        exit;
    }
    sl_send_reply("200", "OK");
}
""",
)

UNANSWERED = WarningRule(
    "W803",
    "unanswered",
    "A request leaves the script, and nothing was replied or relayed: whoever sent it repeats it for half a minute and"
    " then takes the server for dead. An ACK gets no answer, a CANCEL without a call may go without one, and a request"
    " that deserves none is left by `drop`.",
    """\
loadmodule "sl.so"
route {
    if (method == "OPTIONS") {
        sl_send_reply("200", "OK");
        exit;
    }
}
""",
    """\
loadmodule "sl.so"
route {
    if (method == "OPTIONS") {
        sl_send_reply("200", "OK");
        exit;
    }
    if (method != "ACK") {
        sl_send_reply("405", "Method Not Allowed");
    }
}
""",
)

RELAYED_AFTER_REPLY = WarningRule(
    "W804",
    "relayed-after-reply",
    "The request was answered, and goes on to its destination all the same: what was refused is let through. Most often"
    " an `exit` is missing after the reply.",
    """\
loadmodule "sl.so"
loadmodule "tm.so"
route {
    if (src_ip != 10.0.0.0/8) {
        sl_send_reply("403", "Forbidden");
    }
    t_relay();
}
""",
    """\
loadmodule "sl.so"
loadmodule "tm.so"
route {
    if (src_ip != 10.0.0.0/8) {
        sl_send_reply("403", "Forbidden");
        exit;
    }
    t_relay();
}
""",
)
