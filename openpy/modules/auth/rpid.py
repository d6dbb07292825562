"""Remote-Party-ID, as 1.3 writes it (draft-ietf-sip-privacy)."""

from __future__ import annotations

import re
from typing import Final

from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_name_addr

_E164: Final = re.compile(r"\+[0-9]{2,15}")
_LINE_END: Final = re.compile(r"[\r\n\0]")


def is_e164(text: str) -> bool:
    """Whether the user of an address is `+` and 2 to 15 digits."""
    try:
        return _E164.fullmatch(parse_name_addr(text).uri.subscriber) is not None
    except RemoteError:
        return False


def header_of(prefix: str, rpid: str, suffix: str) -> str:
    """The header line; "" where it would be more than one."""
    value = f"{prefix}{rpid}{suffix}"
    return "" if _LINE_END.search(value) else f"Remote-Party-ID: {value}\r\n"
