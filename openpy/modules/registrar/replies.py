"""The header lines of replies to REGISTER, as 1.3 writes them, and a Date (RFC 3261 10.3)."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache

from openpy.modules.registrar.failures import Failure
from openpy.modules.usrloc.api import UNSET_Q, Contacts

FOR_EVER = 2**32 - 1
"""The `expires` of a contact that never runs out: the largest that there is (RFC 3261 20.19)."""


def contact_line(contacts: Contacts, now: int, received_param: str) -> str:
    """One Contact header with all contacts; "" where there are none."""
    if not contacts:
        return ""
    items = []
    for contact in contacts:
        item = f"<{contact.uri}>"
        if contact.q != UNSET_Q:
            item += f";q={quality_text(contact.q)}"
        item += f";expires={contact.expires - now if contact.expires else FOR_EVER}"
        if contact.received:
            item += f';{received_param}="{contact.received}"'
        items.append(item)
    return f"Contact: {', '.join(items)}\r\n"


@lru_cache(maxsize=2)
def date_line(now: int) -> str:
    """What time it is."""
    return f"Date: {formatdate(now, usegmt=True)}\r\n"


def tells_date(lines: str) -> bool:
    """Whether a script tells it among its own lines (`append_time`)."""
    return any(line[:5].lower() == "date:" for line in lines.split("\r\n"))


def quality_text(q: int) -> str:
    """A q value of so many thousandths, with the decimals that it needs."""
    return f"{q / 1000:g}"


def failure_lines(failure: Failure, retry_after: int) -> str:
    """What is said beside a refusal."""
    lines = f"P-Registrar-Error: {failure.text}\r\n"
    if retry_after and failure.status >= 500:
        lines += f"Retry-After: {retry_after}\r\n"
    return lines
