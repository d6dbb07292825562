"""What a message is matched by: RFC 3261 sections 17.1.3 and 17.2.3."""

from __future__ import annotations

from openpy.sip.message import Request

MAGIC_COOKIE = "z9hG4bK"


def server_key(request: Request, method: str) -> str:
    """The key of the server transaction of `request`, taken as a `method` request.

    An ACK and a CANCEL find their INVITE by its method. Without a proper branch (RFC 2543 peers, and the bare
    cookie) Request-URI, Call-ID, CSeq number, From tag and top Via decide; the To tag takes part only where
    no ACK or CANCEL has to find the transaction. A CANCEL is known by more than its branch: else one that was made up
    would stand for the genuine one, which has the same. Raises RemoteError (400) for a header that cannot be read.
    """
    via = request.via
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        key = f"{branch} {via.host.lower()}:{via.port} {method}"
        if method == "CANCEL":
            key = f"{key}\n{request.call_id}\n{request.cseq.number}\n{request.from_.tag}"
        return key
    to_tag = "" if method == "INVITE" else request.to.tag
    return "\n".join(
        (
            request.uri,
            request.call_id,
            str(request.cseq.number),
            request.from_.tag,
            to_tag,
            request.values("Via")[0],
            method,
        )
    )


def client_key(branch: str, method: str) -> str:
    """The key of a client transaction: branch and CSeq method."""
    return f"{branch} {method}"
