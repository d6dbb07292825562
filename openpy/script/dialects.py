"""What Kamailio, OpenSIPS and old OpenSER write and this language does not have: whose it is, and what to write here.

One table for each place where such a word can stand; every diagnostic about one takes its hint from here.
"""

from __future__ import annotations

KAMAILIO, OPENSIPS, BOTH = "Kamailio", "OpenSIPS", "Kamailio and OpenSIPS"


def _hints(table: dict[str, tuple[str, str]]) -> dict[str, str]:
    """The hints of a table, each for all the words that its key names."""
    return {
        word: f"this is the language of {dialect}; {instead}"
        for words, (dialect, instead) in table.items()
        for word in words.split()
    }


DIRECTIVES = _hints({
    "defexp defexps": (KAMAILIO, "write the value itself: #!define NAME value"),
    "defenv defenvs trydefenv trydefenvs": (KAMAILIO, "give it on the command line: -A NAME=value"),
    "ifexp": (KAMAILIO, "write #!ifdef NAME"),
})  # fmt: skip
"""Lines that begin with `#!`."""

TOP_LEVEL = _hints({
    "startup_route": (OPENSIPS, "write event_route[core:worker-one-init]"),
    "local_route": (OPENSIPS, "requests that the server makes itself do not pass the script"),
    "timer_route": (OPENSIPS, "let cron send a request or a command of openpyctl"),
    "onsend_route": (KAMAILIO, "write a branch_route, armed by t_on_branch(\"NAME\")"),
    "async_route": (KAMAILIO, "a function that waits does so in any route, and the route goes on after it"),
    "modparamx": (KAMAILIO, "write modparam; the names that #!define gives are replaced in it"),
    "loadmodulex": (KAMAILIO, "write loadmodule"),
    "avpflags": (KAMAILIO, "a value of its own in an $avp does the same"),
    "import": (BOTH, "write import_file \"FILE\""),
    "include": (BOTH, "write include_file \"FILE\""),
})  # fmt: skip
"""Words that begin a statement outside of routes."""

SETTING = f"this is the language of {KAMAILIO}; write #!define NAME value"
"""For `group.name = value` outside of routes."""

PARAMETERS = _hints({
    "udp_workers": (OPENSIPS, "write children=N"),
    "tcp_workers": (OPENSIPS, "write tcp_children=N"),
    "log_level": (OPENSIPS, "write debug=N"),
    "stderror_enabled": (OPENSIPS, "write log_stderror=yes"),
    "syslog_enabled": (OPENSIPS, "write log_stderror=no"),
    "syslog_facility": (OPENSIPS, "write log_facility=NAME"),
    "syslog_name": (OPENSIPS, "write log_name=\"NAME\""),
    "log_prefix log_engine_type log_engine_data xlog_prefix": (KAMAILIO, "log_name=\"NAME\" sets the tag"),
    "enable_tls": (KAMAILIO, "write disable_tls=no"),
    "memdbg mem_join mem_safety mem_summary": (KAMAILIO, "leave the line out"),
    "version_table version_table_check": (KAMAILIO, "leave the line out"),
    "auto_bind_ipv6": (KAMAILIO, "write a listen line for each IPv6 address"),
    "tcp_async tcp_connection_match tcp_rd_buf_size tcp_wq_max tcp_reuse_port": (KAMAILIO, "leave the line out"),
    "tcp_socket_backlog tcp_no_new_conn_bflag": (BOTH, "leave the line out"),
    "onsend_route_reply route_locks_size latency_log latency_limit_action latency_limit_db": (
        KAMAILIO, "leave the line out"),
    "auto_scaling_profile auto_scaling_cycle mem_warming abort_on_assert": (OPENSIPS, "leave the line out"),
})  # fmt: skip
"""Core parameters."""

_NO_NEED = "leave the line out"
MODULES = _hints({
    "pv": (KAMAILIO, f"{_NO_NEED}: the core has pseudo-variables and $var"),
    "kex tmx corex": (KAMAILIO, f"{_NO_NEED}: what 1.3 has of it is in the core and in tm"),
    "siputils": (KAMAILIO, 'write loadmodule "uri.so", for has_totag and the like'),
    "sanity": (KAMAILIO, f"{_NO_NEED}: what cannot be parsed is answered before the script"),
    "ctl jsonrpcs cfg_rpc counters mi_rpc xhttp": (KAMAILIO, f"{_NO_NEED}: openpyctl asks the server"),
    "mi_http mi_json httpd": (OPENSIPS, f"{_NO_NEED}: openpyctl asks the server"),
    "signaling": (OPENSIPS, 'write loadmodule "sl.so", for sl_send_reply; tm has t_reply'),
    "sipmsgops": (OPENSIPS, 'write loadmodule "textops.so", for is_method and the like'),
    "proto_udp proto_tcp proto_tls proto_ws proto_wss": (OPENSIPS, f"{_NO_NEED}: a listen line is enough"),
    "websocket": (KAMAILIO, f"{_NO_NEED}: listen=ws:ADDRESS:PORT is enough"),
    "tls": (KAMAILIO, f"{_NO_NEED}: write disable_tls=no and the core's tls_ parameters"),
    "tls_mgm tls_openssl tls_wolfssl": (OPENSIPS, f"{_NO_NEED}: write disable_tls=no and the core's tls_ parameters"),
    "rtpproxy rtpengine": (BOTH, 'write loadmodule "nathelper.so", for force_rtp_proxy'),
    "sqlops": (BOTH, 'write loadmodule "avpops.so", for avp_db_query'),
    "htable": (KAMAILIO, "keep the values in a database: avp_db_store, avp_db_load"),
    "cachedb_local": (OPENSIPS, "keep the values in a database: avp_db_store, avp_db_load"),
    "ipops": (KAMAILIO, "compare: src_ip==10.0.0.0/8"),
})  # fmt: skip
"""Modules that 1.3 never had."""

SOCKET = {
    "advertise": f"this is the language of {KAMAILIO}; write advertised_address=ADDRESS and advertised_port=PORT",
    "as": f"this is the language of {OPENSIPS}; write advertised_address=ADDRESS and advertised_port=PORT",
    "name": f"this is the language of {KAMAILIO}; a socket has no name here: write its address where it is meant",
    "virtual": f"this is the language of {KAMAILIO}; leave the word out",
    "use_workers": f"this is the language of {OPENSIPS}; children=N is for all sockets",
    "anycast": f"this is the language of {OPENSIPS}; leave the word out",
    "tag": f"this is the language of {OPENSIPS}; leave the word out",
}
"""Words behind the address of a socket."""

WORDS = _hints({
    "for": (OPENSIPS, "count with while and an index: $(avp(s:x)[$var(i)])"),
    "async launch": (OPENSIPS, "call the function: one that waits lets other messages pass meanwhile"),
    "t_suspend t_continue http_async_query sworker_task": (
        KAMAILIO, "call the function: one that waits lets other messages pass meanwhile"),
    "eq": (KAMAILIO, "write =="),
    "ne": (KAMAILIO, "write !="),
    "defined": (KAMAILIO, "write $x!=NULL; !defined $x is $x==NULL"),
    "strempty": (KAMAILIO, "write $x==\"\", or $x==NULL for what is not there"),
    "strlen": (KAMAILIO, "write $(x{s.len})"),
    "cfg_get cfg_select cfg_set": (KAMAILIO, "write #!define NAME value"),
    "send_reply": (BOTH, "write sl_send_reply(code, reason), or t_reply in a transaction"),
    "send_reply_error": (KAMAILIO, "write sl_reply_error()"),
    "is_myself": (BOTH, "compare: uri==myself, $si==myself"),
    "forward_udp forward_tcp forward_tls": (KAMAILIO, "write forward(\"udp:host:port\")"),
    "send_udp send_tcp": (KAMAILIO, "write send(\"udp:host:port\")"),
    "is_request is_reply": (KAMAILIO, "the type of the route says it: onreply_route is for replies"),
    "route_if_exists check_route_exists": (KAMAILIO, "write route(NAME): one that is missing gives 1"),
    "sql_query sql_xquery sql_pvquery sql_query_one": (BOTH, "write avp_db_query(\"select ...\", \"$avp(s:x)\")"),
    "avp_write": ("OpenSER 1.2", "write $avp(s:name) = value"),
    "t_load_contacts": (KAMAILIO, "write serialize_branches(1)"),
    "t_next_contacts": (KAMAILIO, "write next_branches()"),
    "auth_check": (KAMAILIO, "write www_authorize or proxy_authorize"),
    "auth_challenge": (KAMAILIO, "write www_challenge or proxy_challenge"),
    "rtpproxy_manage rtpproxy_offer rtpproxy_answer rtpengine_manage rtpengine_offer rtpengine_answer": (
        BOTH, "write force_rtp_proxy()"),
    "rtpproxy_destroy rtpproxy_unforce rtpengine_delete": (BOTH, "write unforce_rtp_proxy()"),
    "msg_apply_changes": (KAMAILIO, "leave it out: a script reads what was received"),
    "create_dialog dlg_manage": (BOTH, "modparam(\"dialog\", \"dlg_flag\", N) and setflag(N)"),
    "cache_store cache_fetch sht_lock sht_unlock": (BOTH, "keep the value in a database: avp_db_store, avp_db_load"),
})  # fmt: skip
"""Words and functions within routes."""

SYNTAX = frozenset(("for", "async", "launch", "eq", "ne", "defined", "strempty", "strlen"))
"""Those of `WORDS` that need not look like the call of a function."""

VARIABLES = _hints({
    "xavp xavu xavi": (KAMAILIO, "write $avp(s:name)"),
    "sht shtex shtcn shtcv shtinc shtdec": (KAMAILIO, "keep the value in a database: avp_db_store, avp_db_load"),
    "shv": (BOTH, "a value for all messages is kept in a database (avp_db_store) or a flag (set_gflag)"),
    "dlg_var dlg dlg_ctx dlg_val": (BOTH, "keep the value in an $avp of the transaction"),
    "param": (OPENSIPS, "set $var(x) before route(NAME), and read $var(x) in it"),
    "sel": (KAMAILIO, "read the part with a pseudo-variable and a transformation: $(hdr(To){uri.user})"),
    "def defn defv defs": (KAMAILIO, "write the name itself, outside of strings; #!substdef replaces in strings"),
    "env": (BOTH, "give it on the command line: -A NAME=value"),
    "json jsonr xml": (BOTH, "a body is handled by the module that the event belongs to"),
    "cfg cfg_line cfg_file cfg_route script": (BOTH, "log lines name the script themselves"),
    "vn vz": (KAMAILIO, "write $var(name); it starts at 0"),
    "stat": (BOTH, "ask openpyctl mi get_statistics"),
    "branch branch_idx": (BOTH, "write $T_branch_idx"),
    "x_hdr xhdr hfl hflc": (BOTH, "write $(hdr(name)[index])"),
    "time time_t Tb TV": (BOTH, "write $Ts or $Tf"),
    "rep expires hdrc": (BOTH, "write $hdr(Name)"),
    "sndto snd rcv": (KAMAILIO, "write $du for where it goes, $si and $sp for where it came from"),
    "T_req T_rpl T_inv": (KAMAILIO, "a failure_route reads the request itself, and $T_reply_code"),
    "socket_in socket_out": (OPENSIPS, "write $Ri and $Rp, or $fs"),
    "su sut": (KAMAILIO, "write sip:$si:$sp"),
})  # fmt: skip
"""Pseudo-variables, without the `$`."""

SELECT = f"this is a select of {KAMAILIO}; read the part with a pseudo-variable: $ru, $hdr(To), $(hdr(To){{uri.user}})"
"""For `@ruri.user`."""

ARGUMENTS = f"routes with arguments are {OPENSIPS}'s; set $var(x) before route(NAME), and read it there"
"""For `route(NAME, value)`."""

EVENTS = f"this is an event of {OPENSIPS}; a module names its events here, as in event_route[sl:filtered-ack]"
"""For `event_route[E_NAME]`."""

STEP = "neither Kamailio nor OpenSIPS has it; write $var(x) += 1"
"""For `$var(x)++`."""

LABEL = f'a case with an expression is {KAMAILIO}\'s; write if ($var(x)=~"expression")'
"""For `case /expression/:`."""

HOLE = f'an argument left out is {OPENSIPS}\'s; write an empty string, ""'
"""For `f("a",,"b")`."""
