"""The names of core functions: aliases, and which of them need no parentheses."""

from __future__ import annotations

_words = str.split

FIRST_NAMES: dict[str, str] = {
    "add_rport": "force_rport",
    "add_local_rport": "force_local_rport",
    "add_tcp_alias": "force_tcp_alias",
    "setbranchflag": "setbflag",
    "resetbranchflag": "resetbflag",
    "isbranchflagset": "isbflagset",
    "setscriptflag": "setsflag",
    "resetscriptflag": "resetsflag",
    "isscriptflagset": "issflagset",
    "sethost": "rewritehost",
    "seth": "rewritehost",
    "sethostport": "rewritehostport",
    "sethp": "rewritehostport",
    "setuser": "rewriteuser",
    "setu": "rewriteuser",
    "setuserpass": "rewriteuserpass",
    "setup": "rewriteuserpass",
    "setport": "rewriteport",
    "setp": "rewriteport",
    "seturi": "rewriteuri",
    "setduri": "setdsturi",
    "resetduri": "resetdsturi",
    "isduriset": "isdsturiset",
    "avp_printf": "pv_printf",
}
"""The other names of core functions."""

BARE_COMMANDS = frozenset(
    _words(
        "append_branch force_rport force_local_rport force_tcp_alias revert_uri"
        " resetdsturi isdsturiset next_branches"
    )
)
"""Core functions that may be written without parentheses."""
