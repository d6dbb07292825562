"""3: what is wrong with parameters, modules and their parameters."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

UNKNOWN_PARAMETER = ErrorRule(
    "E301",
    "unknown-parameter",
    "The core has no parameter of this name; docs/core-parameters.md lists all. One of a module is set by `modparam`.",
    """\
chidren = 4
route {
    exit;
}
""",
    """\
children = 4
route {
    exit;
}
""",
)

BAD_VALUE = ErrorRule(
    "E302",
    "bad-value",
    "The parameter takes a value of another kind.",
    """\
debug = "high"
route {
    exit;
}
""",
    """\
debug = 3
route {
    exit;
}
""",
)

NOT_BUILT = ErrorRule(
    "E303",
    "not-built",
    "This version speaks UDP, TCP, TLS and WebSocket, the last with a library that may not be installed.",
    """\
listen = sctp:127.0.0.1:5060
route {
    exit;
}
""",
    """\
listen = udp:127.0.0.1:5060
route {
    exit;
}
""",
)

BAD_SOCKET = ErrorRule(
    "E304",
    "bad-socket",
    "A socket is written `[protocol:]host[:port]`.",
    """\
listen = udp:127.0.0.1:70000
route {
    exit;
}
""",
    """\
listen = udp:127.0.0.1:5070
route {
    exit;
}
""",
)

BAD_BLACKLIST = ErrorRule(
    "E305",
    "bad-blacklist",
    "A blacklist has a name of its own and rules of the form `(protocol, network, port, expression)`.",
    """\
dst_blacklist = gateways:{ (udp, example.com, 5060, "") }
route {
    exit;
}
""",
    """\
dst_blacklist = gateways:{ (udp, 10.0.0.0/8, 5060, "") }
route {
    exit;
}
""",
)

BAD_FLAG_NAME = ErrorRule(
    "E306",
    "bad-flag-name",
    "A flag has one number, 0 to 31.",
    """\
flags ACC:32
route {
    exit;
}
""",
    """\
flags ACC:1
route {
    setflag(ACC);
    exit;
}
""",
)

BAD_AVP_ALIAS = ErrorRule(
    "E307",
    "bad-avp-alias",
    "An alias names an AVP, as `s:name` or `i:number`.",
    """\
avp_aliases = "mail=i:x"
route {
    exit;
}
""",
    """\
avp_aliases = "mail=s:email"
route {
    exit;
}
""",
)

MODULE_NOT_LOADED = ErrorRule(
    "E311",
    "module-not-loaded",
    "There is no such module here, or it cannot be loaded. What only it could have is not told as well.",
    """\
loadmodule "textop.so"
route {
    if (is_method("INVITE")) exit;
    drop;
}
""",
    """\
loadmodule "textops.so"
route {
    if (is_method("INVITE")) exit;
    drop;
}
""",
)

MODULE_NEEDED = ErrorRule(
    "E312",
    "module-needed",
    "A module builds on another one, which has to be loaded before it.",
    """\
loadmodule "presence_mwi.so"
route {
    exit;
}
""",
    """\
loadmodule "presence.so"
loadmodule "presence_mwi.so"
route {
    exit;
}
""",
)

MODULE_SETTINGS = ErrorRule(
    "E313",
    "module-settings",
    "A module cannot work with the parameters that it was given, or lacks one.",
    """\
loadmodule "mi_fifo.so"
route {
    exit;
}
""",
    """\
loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "/tmp/openser_fifo")
route {
    exit;
}
""",
)

PARAMETER_OF_NO_MODULE = ErrorRule(
    "E314",
    "parameter-of-no-module",
    "`modparam` names a module that is not loaded above it.",
    """\
modparam("tm", "fr_timer", 10)
loadmodule "tm.so"
route {
    t_relay();
}
""",
    """\
loadmodule "tm.so"
modparam("tm", "fr_timer", 10)
route {
    t_relay();
}
""",
)

UNKNOWN_MODULE_PARAMETER = ErrorRule(
    "E315",
    "unknown-module-parameter",
    "The module has no parameter of this name; its page in docs/modules lists all.",
    """\
loadmodule "tm.so"
modparam("tm", "fr_tmer", 10)
route {
    t_relay();
}
""",
    """\
loadmodule "tm.so"
modparam("tm", "fr_timer", 10)
route {
    t_relay();
}
""",
)

BAD_MODULE_PARAMETER = ErrorRule(
    "E316",
    "bad-module-parameter",
    "The value is of another kind than the parameter takes, or beyond its bounds.",
    """\
loadmodule "tm.so"
modparam("tm", "fr_timer", "10")
route {
    t_relay();
}
""",
    """\
loadmodule "tm.so"
modparam("tm", "fr_timer", 10)
route {
    t_relay();
}
""",
)

LOADED_TWICE = WarningRule(
    "W317",
    "loaded-twice",
    "A module is loaded once; the second line has no effect.",
    """\
loadmodule "tm.so"
loadmodule "tm.so"
route {
    t_relay();
}
""",
    """\
loadmodule "tm.so"
route {
    t_relay();
}
""",
)

UNUSED_MODULE = WarningRule(
    "W318",
    "unused-module",
    "The script calls none of the module's functions, reads none of its variables, sets none of its parameters and has"
    " no route for its events; no other module needs it, and it does nothing by itself.",
    """\
loadmodule "tm.so"
loadmodule "textops.so"
route {
    t_relay();
}
""",
    """\
loadmodule "tm.so"
route {
    t_relay();
}
""",
)

BAD_TLS = ErrorRule(
    "E319",
    "bad-tls",
    "TLS cannot be had as the script says it: a file is missing or does not fit, a version is broken, or a parameter"
    " does not belong into a domain. Nothing that promises security is ignored.",
    """\
listen = tls:127.0.0.1:5061
tls_method = SSLv3
route {
    exit;
}
""",
    """\
listen = tls:127.0.0.1:5061
tls_method = TLSv1_2
route {
    exit;
}
""",
)

DOUBTFUL_TLS = WarningRule(
    "W320",
    "doubtful-tls",
    "TLS works, but not as the line reads, or not for everybody: an old version is taken as a newer one, a certificate"
    " has expired, or no client can show a certificate that is accepted.",
    """\
listen = tls:127.0.0.1:5061
tls_method = TLSv1
route {
    exit;
}
""",
    """\
listen = tls:127.0.0.1:5061
tls_method = TLSv1_3
route {
    exit;
}
""",
)
