"""The names of core functions: aliases, and which of them need no parentheses. What is written in place of keywords."""

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

LIKE_KEYWORDS: dict[str, str] = {
    **dict.fromkeys(_words("elseif elsif elif"), "else if"),
    **{word: word for word in _words("if else while switch case default return exit drop break route")},
}
"""What is meant by words that are written as in other languages, or not in lower case."""
