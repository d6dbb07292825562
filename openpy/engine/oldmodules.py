"""The modules of OpenSER 1.3 that this version may not have: those that are to come, and what replaces the others."""

from __future__ import annotations

_words = str.split

NOT_BUILT = frozenset(
    _words(
        "acc alias_db auth auth_db avpops dialog dispatcher domain enum group lcr mi_datagram msilo nathelper options"
        " path permissions pike pua pua_bla pua_mi pua_usrloc pua_xmpp registrar rls rr siptrace tlsops uac"
        " uac_redirect uri uri_db usrloc xcap_client"
    )
)
"""Modules that a later version has."""

_OWN = "write what it did as a module in Python: docs/developer.md"
_DATABASE = 'use a database: loadmodule "sqlite.so", "mysql.so" or "postgres.so"'

REPLACED: dict[str, str] = {
    "auth_diameter": "auth_db checks passwords in the database",
    "auth_radius": "auth_db checks passwords in the database",
    "avp_radius": "avpops loads values from the database: avp_db_load",
    "benchmark": "openpyctl shows how long what takes: get_statistics",
    "carrierroute": "lcr or dispatcher chooses among gateways",
    "cpl-c": _OWN,
    "dbtext": _DATABASE,
    "db_text": _DATABASE,
    "db_berkeley": _DATABASE,
    "flatstore": _DATABASE,
    "unixodbc": _DATABASE,
    "diversion": 'textops does it: append_hf("Diversion: <$ru>;reason=unconditional\\r\\n")',
    "domainpolicy": "domain tells which domains are served, enum asks the DNS",
    "group_radius": "group looks in the database: is_user_in",
    "h350": "avpops loads values from the database: avp_db_load",
    "imc": _OWN,
    "jabber": _OWN,
    "ldap": "avpops loads values from the database: avp_db_load",
    "mangler": "nathelper repairs addresses: fix_nated_contact, fix_nated_sdp",
    "mediaproxy": "nathelper relays media: force_rtp_proxy",
    "mi_xmlrpc": "mi_fifo or mi_datagram takes commands, and openpyctl sends them",
    "osp": _OWN,
    "pdt": "avpops finds the domain of a prefix: avp_db_query",
    "perl": _OWN,
    "perlvdb": _DATABASE,
    "print": "xlog writes to the log",
    "seas": _OWN,
    "sms": _OWN,
    "snmpstats": "openpyctl reads the figures: get_statistics",
    "speeddial": "alias_db replaces one address by another: alias_db_lookup",
    "sst": _OWN,
    "uri_radius": "uri_db looks in the database: does_uri_exist",
    "xmpp": _OWN,
}
"""Modules that no version has, and what to use instead."""


def absent(name: str) -> tuple[str, str] | None:
    """Why a module of 1.3 is not there, and what to do; None if 1.3 has none of that name."""
    if name in NOT_BUILT:
        return f"{name} is not built into this version yet", ""
    if name in REPLACED:
        return f"{name} is not part of openpy", REPLACED[name]
    return None
