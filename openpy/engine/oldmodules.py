"""The modules of OpenSER 1.3 that this version may not have: those that are to come, and what replaces the others."""

from __future__ import annotations

NOT_BUILT: dict[str, str] = {
    "enum": "asks the DNS for the URIs of a telephone number",
    "lcr": "chooses gateways by the number that is called",
    "pua": "publishes and subscribes for other modules",
    "pua_bla": "shares lines among phones of several vendors",
    "pua_mi": "publishes by management commands; openpyctl publish does now",
    "pua_usrloc": "publishes whether users are registered",
    "pua_xmpp": "passes presence between SIP and XMPP",
    "rls": "serves resource lists: one subscription to many users",
    "tlsops": "tells what a certificate says",
    "xcap_client": "fetches documents from XCAP servers; presence_xml reads them from its table now",
}
"""Modules that a later version has: what they do."""

_OWN = "write what it did as a module in Python: docs/developer.md"
_DATABASE = 'use a database: loadmodule "sqlite.so", "mysql.so" or "postgres.so"'
_PASSWORDS = "auth_db checks passwords in a table: www_authorize, proxy_authorize"
_VALUES = "avpops loads values from a database: avp_db_load, avp_db_query"

REPLACED: dict[str, str] = {
    "auth_diameter": _PASSWORDS,
    "auth_radius": _PASSWORDS,
    "avp_radius": _VALUES,
    "benchmark": "openpy explain shows which lines a message runs; bench measures a server",
    "carrierroute": "avpops finds a gateway in a table (avp_db_query, avp_pushto); so do lcr and dispatcher",
    "cpl-c": _OWN,
    "dbtext": _DATABASE,
    "db_text": _DATABASE,
    "db_berkeley": _DATABASE,
    "flatstore": _DATABASE,
    "unixodbc": _DATABASE,
    "domainpolicy": "domain tells which domains are served: is_uri_host_local; t_relay finds the servers of others",
    "group_radius": "group looks in a table: is_user_in",
    "h350": _VALUES,
    "imc": _OWN,
    "jabber": _OWN,
    "ldap": _VALUES,
    "mangler": "textops changes bodies and headers: subst_body, subst; nathelper repairs addresses",
    "mediaproxy": "nathelper relays media: force_rtp_proxy",
    "mi_xmlrpc": "mi_fifo takes commands, and openpyctl mi sends them",
    "osp": _OWN,
    "pdt": "avpops finds the domain of a prefix in a table: avp_db_query, then $rd",
    "perl": "exec runs programs: exec_avp, exec_msg; or " + _OWN,
    "perlvdb": _DATABASE,
    "print": "xlog writes to the log",
    "seas": "tm hands requests to an application, which answers them: t_write_unix, t_reply",
    "sms": "exec hands a message to a program: exec_msg",
    "snmpstats": "the figures are read by a command: openpyctl mi get_statistics all",
    "sst": _OWN,
    "uri_radius": "uri_db looks in a table: does_uri_exist",
    "xmpp": _OWN,
}
"""Modules that no version has, and what to use instead."""


def absent(name: str) -> tuple[str, str] | None:
    """Why a module of 1.3 is not there, and what to do; None if 1.3 has none of that name."""
    if name in NOT_BUILT:
        return f"{name} is not built into this version yet", f"it {NOT_BUILT[name]}"
    if name in REPLACED:
        return f"{name} is not part of openpy", REPLACED[name]
    return None
