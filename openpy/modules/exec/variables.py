"""What a program learns about a request from its environment: `SIP_...` (openser 1.3 module exec, `setvars`)."""

from __future__ import annotations

import re
from hashlib import md5

from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.places import header_lines
from openpy.sip.uri import cached_uri
from openpy.transaction.keys import server_key

NO_NAME = re.compile(r"[^A-Z0-9_]")
FUNCTION = "()"
"""How a value begins that an old bash takes for a function, and runs."""


def variables_of(run: Run) -> dict[str, str]:
    """All variables: headers as `SIP_HF_` and their name in capitals, several values of one separated by commas."""
    request = run.request
    variables: dict[str, list[str]] = {}
    for line in header_lines(request):
        name = NO_NAME.sub("_", line.canonical.upper())
        variables.setdefault(f"SIP_HF_{name}", []).append(line.value)
    return {name: safe(",".join(values)) for name, values in variables.items()} | {
        "SIP_TID": _transaction_id(request),
        "SIP_DID": safe(request.to.tag),
        "SIP_SRCIP": run.flow.host,
        "SIP_ORURI": safe(request.uri),
        "SIP_RURI": safe(run.uri),
        "SIP_OUSER": safe(_user(request.uri)),
        "SIP_USER": safe(_user(run.uri)),
    }


def safe(value: str) -> str:
    """A value as an environment can hold it: without NUL, and nothing that a shell might run."""
    value = value.replace("\0", "")
    return f" {value}" if value.startswith(FUNCTION) else value


def _transaction_id(request: Request) -> str:
    """The same for each retransmission, and for the CANCEL of an INVITE and the ACK to its failure."""
    method = "INVITE" if request.method in ("ACK", "CANCEL") else request.method
    return md5(
        server_key(request, method).encode("utf-8", "surrogateescape"), usedforsecurity=False
    ).hexdigest()


def _user(uri: str) -> str:
    try:
        return cached_uri(uri).user or ""
    except RemoteError:
        return ""
