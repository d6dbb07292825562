"""5: what is wrong with calls."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

UNKNOWN_FUNCTION = ErrorRule(
    "E501",
    "unknown-function",
    "No module that is loaded has this function. The hint names the module to load, or what was probably meant.",
    """\
route {
    sl_send_reply("200", "OK");
}
""",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("200", "OK");
}
""",
)

WRONG_COUNT = ErrorRule(
    "E502",
    "wrong-count",
    "The function takes another number of arguments.",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("200");
}
""",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("200", "OK");
}
""",
)

BAD_ARGUMENT = ErrorRule(
    "E503",
    "bad-argument",
    "The function cannot use this argument: the message says what it is, the hint what the function takes.",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("OK", "200");
}
""",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("200", "OK");
}
""",
)

WRONG_ROUTE_TYPE = ErrorRule(
    "E504",
    "wrong-route-type",
    "The function has no meaning in a block of this type: a reply, for example, is not replied to.",
    """\
loadmodule "sl.so"
route {
    exit;
}
onreply_route {
    sl_send_reply("200", "OK");
}
""",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("200", "OK");
}
""",
)

REACHED_ROUTE_TYPE = WarningRule(
    "W505",
    "reached-route-type",
    "A block of another type comes to this function through `route()`, and it has no meaning there.",
    """\
loadmodule "sl.so"
route {
    route(REPLY);
}
onreply_route {
    route(REPLY);
}
route[REPLY] {
    sl_send_reply("200", "OK");
}
""",
    """\
loadmodule "sl.so"
route {
    route(REPLY);
}
route[REPLY] {
    sl_send_reply("200", "OK");
}
""",
)

REFUSED = ErrorRule(
    "E506",
    "unusable-function",
    "The module is configured in a way that leaves this function without what it needs.",
    """\
loadmodule "presence.so"
route {
    handle_publish();
}
""",
    """\
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "presence.so"
modparam("presence", "db_url", "sqlite:////var/lib/openpy/openpy.db")
route {
    handle_publish();
}
""",
)

UNQUOTED = WarningRule(
    "W507",
    "unquoted-argument",
    "OpenSER 1.3 takes only strings for the arguments of a module's function; a number or variable without quotes is"
    " understood here and refused there.",
    """\
loadmodule "sl.so"
route {
    sl_send_reply(200, "OK");
}
""",
    """\
loadmodule "sl.so"
route {
    sl_send_reply("200", "OK");
}
""",
)

ROUTE_ARGUMENT = ErrorRule(
    "E508",
    "route-argument",
    "`route()` takes one number or name; it cannot be a variable.",
    """\
route {
    route($var(next));
    drop;
}
""",
    """\
route {
    route(NEXT);
    drop;
}
route[NEXT] {
    exit;
}
""",
)

UNKNOWN_SOCKET = ErrorRule(
    "E509",
    "unknown-socket",
    "A socket can only be forced if the server listens on it. This is found when the sockets are opened.",
    """\
listen = udp:127.0.0.1:5070
route {
    force_send_socket(udp:127.0.0.1:5080);
    exit;
}
""",
    """\
listen = udp:127.0.0.1:5070
route {
    force_send_socket(udp:127.0.0.1:5070);
    exit;
}
""",
)
