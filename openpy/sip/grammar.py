"""Expressions named after the rules of RFC 3261 section 25.1.

Rules:
1. Every expression is linear: repetitions are possessive, alternatives begin with different characters.
2. LWS is a space or tab only: folding is undone before any of these sees a value.
3. A `..._NORMAL` expression knows the usual spelling of a header and nothing else. A miss means "look
   closely", never "wrong".
"""

from __future__ import annotations

import re
from typing import Final

LWS: Final = " \t"
"""What surrounds a header value once folding is undone."""

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]"
_HOST = r"(?:[A-Za-z0-9._\-]++|\[[0-9A-Fa-f:.]++\])"
_QUOTED_STRING = r'"(?:[^"\\]++|\\.)*+"'
_PARAM_VALUE = r"[A-Za-z0-9\-.!%*_+`'~:\[\]]"
_PARAMS = rf"(?:;{_TOKEN}++(?:={_PARAM_VALUE}++)?+)*+"
_PORT = r"(?:[1-5][0-9]{4}|6[0-4][0-9]{3}|[0-9]{1,4})(?![0-9])"
_SIP_URI = (
    r"sips?:(?:[A-Za-z0-9\-_.!~*'()%&=+$,;?/]++(?::[A-Za-z0-9\-_.!~*'()%&=+$,:]*+)?+@)?+"
    rf"{_HOST}(?::{_PORT})?+(?:;[A-Za-z0-9\-_.!~*'()%&=+$,;/:\[\]]++)?+"
)
_BARE_SIP_URI = rf"sips?:(?:[A-Za-z0-9\-_.!~*'()%&=+$/]++@)?+{_HOST}(?::{_PORT})?+"

TOKEN: Final = re.compile(rf"{_TOKEN}++\Z")
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+:")
HOST: Final = re.compile(_HOST)
QUOTED_STRING: Final = re.compile(_QUOTED_STRING, re.DOTALL)

URI_CHARACTERS: Final = re.compile(r'[^\x00-\x20\x7f<>"]++\Z')
"""What may stand in a URI at all, read liberally (unescaped non-ASCII characters pass)."""

POSSIBLE_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?+")

HOSTPORT: Final = re.compile(rf"({_HOST})(?::([0-9]{{1,5}}+))?+(?=[;?]|\Z)")

GENERIC_PARAM: Final = re.compile(
    rf'[ \t]*+;[ \t]*+({_TOKEN}++)[ \t]*+(?:=[ \t]*+({_QUOTED_STRING}|[^ \t;,"<>]*+)[ \t]*+)?+', re.DOTALL
)
"""One `;name=value`; the value is a quoted string, or anything without separators (tokens, hosts, base64)."""

AUTH_PARAM: Final = re.compile(
    rf'[ \t,]*+({_TOKEN}++)[ \t]*+=[ \t]*+({_QUOTED_STRING}|[^ \t,"]*+)[ \t]*+(?=,|\Z)', re.DOTALL
)

LIST_ITEM: Final = re.compile(rf'(?:[^,"<]++|{_QUOTED_STRING}|<[^>]*+>)*+', re.DOTALL)
"""One member of a comma separated list, commas in quotes or angle brackets included."""

VIA_PARM: Final = re.compile(
    rf"SIP[ \t]*+/[ \t]*+2\.0[ \t]*+/[ \t]*+({_TOKEN}++)[ \t]++({_HOST})[ \t]*+"
    r"(?::[ \t]*+([0-9]{1,5}+)[ \t]*+)?+",
    re.IGNORECASE,
)

CSEQ: Final = re.compile(rf"[ \t]*+([0-9]++)[ \t]++({_TOKEN}++)[ \t]*+\Z")
CALLID: Final = re.compile(r"[ \t]*+[^\x00-\x20\x7f]++[ \t]*+\Z")
MEDIA_TYPE: Final = re.compile(rf"({_TOKEN}++)[ \t]*+/[ \t]*+({_TOKEN}++)")
EVENT_TYPE: Final = re.compile(rf"({_TOKEN}++)[ \t]*+")

PLAIN_AOR: Final = re.compile(r"sip:[A-Za-z0-9\-_.!~*'()&=+$,;?/]++@[a-z0-9.\-]++\Z")
"""A SIP URI that is its own canonical address-of-record."""

SIP_URI_NORMAL: Final = re.compile(rf"{_SIP_URI}\Z")
VIA_NORMAL: Final = re.compile(
    rf" ?SIP/2\.0/([A-Z]++) ({_HOST})(?::({_PORT}))?+"
    rf"((?:;(?!branch=){_TOKEN}++(?:={_PARAM_VALUE}++)?+)*+;branch=({_PARAM_VALUE}++){_PARAMS})\Z"
)
NAME_ADDR_NORMAL: Final = re.compile(
    rf' ?("[^"\\<>]*+"|[A-Za-z0-9\-.!%*_+`\'~ ]*+) *+<({_SIP_URI})>({_PARAMS})\Z'
)
ADDR_SPEC_NORMAL: Final = re.compile(rf" ?()({_BARE_SIP_URI})({_PARAMS})\Z")

QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
