"""Unix times as the columns of 1.3 hold them: local time, without a zone.

An hour that the clock passes twice (the end of summer time) is read as its first: a server that keeps its rows in
such a zone may take contacts for older than they are, in that hour. `TZ=UTC` avoids it.
"""

from __future__ import annotations

import time
from datetime import datetime
from functools import lru_cache

_KNOWN = 4096


@lru_cache(maxsize=_KNOWN)
def to_column(seconds: int) -> str:
    """A time as text that every database takes."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def from_column(value: datetime | str) -> int:
    """What a column holds, in Unix time; 0 for what means "never". Raises ValueError."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if moment.year < 1971:
        return 0
    return int(moment.timestamp())
