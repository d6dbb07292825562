"""The SIP requests that the load consists of, and the users who send them.

A user keeps what its next request needs (entity-tag, CSeq, the server's tag), so a scenario only says who sends what.
Every request gets a branch of its own from `Sender.branch`; the generator finds the answer by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count

DOMAIN = "bench.test"
EXPIRES = 3600  # seconds, of every publication and subscription that is not ended


class Sender:
    """What all requests of one socket share: its address, and names that no other run used.

    `run` is a word that makes Call-IDs and branches unlike those of an earlier run against the same server.
    """

    __slots__ = ("_branches", "_via", "host", "run")

    def __init__(self, host: str, port: int, run: str) -> None:
        self.host = f"{host}:{port}"
        self.run = run
        self._branches = count(1)
        self._via = f"Via: SIP/2.0/UDP {self.host};branch="

    def branch(self) -> str:
        """A new branch parameter."""
        return f"z9hG4bK{self.run}.{next(self._branches):x}"

    def request(self, method: str, uri: str, branch: str, headers: str, body: str = "") -> bytes:
        """One request; `headers` are the lines between Max-Forwards and Content-Length."""
        return (
            f"{method} {uri} SIP/2.0\r\n{self._via}{branch};rport\r\nMax-Forwards: 70\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode("ascii")


def options(sender: Sender, branch: str, number: int) -> bytes:
    """An OPTIONS that the script answers by itself."""
    return sender.request(
        "OPTIONS",
        f"sip:{DOMAIN}",
        branch,
        f"From: <sip:caller{number}@{DOMAIN}>;tag={number:x}\r\nTo: <sip:{DOMAIN}>\r\n"
        f"Call-ID: options-{number:x}-{sender.run}\r\nCSeq: 1 OPTIONS\r\n",
    )


@dataclass(slots=True)
class Presentity:
    """Somebody whose phone publishes its state (RFC 3903)."""

    sender: Sender
    name: str
    entity_tag: str = ""
    cseq: int = 0

    @property
    def uri(self) -> str:
        """The address-of-record."""
        return f"sip:{self.name}@{DOMAIN}"

    def publish(self, branch: str, *, document: bool, expires: int = EXPIRES) -> bytes:
        """A PUBLISH: initial without an entity-tag, else a refresh, the end, or (with a document) a modification.

        The document changes with every request: a store must not profit from equal values.
        """
        self.cseq += 1
        headers = (
            f"From: <{self.uri}>;tag={self.name}\r\nTo: <{self.uri}>\r\n"
            f"Call-ID: {self.name}-{self.cseq}-{self.sender.run}\r\nCSeq: {self.cseq} PUBLISH\r\n"
            f"Event: presence\r\nExpires: {expires}\r\n"
        )
        if self.entity_tag:
            headers += f"SIP-If-Match: {self.entity_tag}\r\n"
        if not document:
            return self.sender.request("PUBLISH", self.uri, branch, headers)
        headers += "Content-Type: application/pidf+xml\r\n"
        return self.sender.request("PUBLISH", self.uri, branch, headers, self._document())

    def answered(self, response: bytes) -> None:
        """Keep the entity-tag of a 2xx."""
        if response.startswith(b"SIP/2.0 2"):
            self.entity_tag = header(response, b"SIP-ETag").decode("ascii")

    def _document(self) -> str:
        """A PIDF document (RFC 3863) of about 500 bytes: one tuple, and one person with an activity (RFC 4480)."""
        version = self.cseq
        basic = ("open", "closed")[version % 2]
        activity = ("away", "busy", "on-the-phone")[version % 3]
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{self.uri}"\n'
            '    xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid">\n'
            f'  <tuple id="phone"><status><basic>{basic}</basic></status>\n'
            f"    <contact>sip:{self.name}@192.0.2.1:5060</contact><note>version {version}</note></tuple>\n"
            f'  <dm:person id="person"><rpid:activities><rpid:{activity}/></rpid:activities></dm:person>\n'
            "</presence>\n"
        )


@dataclass(slots=True)
class Watcher:
    """Somebody who watches a presentity, in one dialog (RFC 6665)."""

    sender: Sender
    name: str
    presentity: Presentity
    target: str = field(default="")  # the server's Contact, once it answered
    to_tag: str = ""
    cseq: int = 0

    def subscribe(self, branch: str, expires: int = EXPIRES) -> bytes:
        """A SUBSCRIBE: initial at first, within the dialog once the server answered; the end with `expires` 0."""
        self.cseq += 1
        uri = self.presentity.uri
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        return self.sender.request(
            "SUBSCRIBE",
            self.target or uri,
            branch,
            f"From: <sip:{self.name}@{DOMAIN}>;tag={self.name}\r\nTo: <{uri}>{tag}\r\n"
            f"Call-ID: {self.name}-{self.sender.run}\r\nCSeq: {self.cseq} SUBSCRIBE\r\n"
            f"Contact: <sip:{self.name}@{self.sender.host}>\r\nEvent: presence\r\n"
            f"Accept: application/pidf+xml\r\nExpires: {expires}\r\n",
        )

    def answered(self, response: bytes) -> None:
        """Keep the dialog that a 2xx made."""
        if response.startswith(b"SIP/2.0 2"):
            self.to_tag = header(response, b"To").partition(b";tag=")[2].partition(b";")[0].decode("ascii")
            contact = header(response, b"Contact")
            self.target = contact.partition(b"<")[2].partition(b">")[0].decode("ascii")


@dataclass(slots=True)
class Phone:
    """A phone that registers its one contact (RFC 3261 section 10)."""

    sender: Sender
    name: str
    is_registered: bool = False
    cseq: int = 0

    def register(self, branch: str, expires: int = EXPIRES) -> bytes:
        """A REGISTER: the first, or one that gives the contact a new lifetime."""
        self.cseq += 1
        aor = f"sip:{self.name}@{DOMAIN}"
        return self.sender.request(
            "REGISTER",
            f"sip:{DOMAIN}",
            branch,
            f"From: <{aor}>;tag={self.name}\r\nTo: <{aor}>\r\nCall-ID: {self.name}-{self.sender.run}\r\n"
            f"CSeq: {self.cseq} REGISTER\r\nContact: <sip:{self.name}@{self.sender.host}>\r\nExpires: {expires}\r\n",
        )

    def answered(self, response: bytes) -> None:
        """Note a 2xx."""
        self.is_registered = response.startswith(b"SIP/2.0 2")


@dataclass(slots=True)
class Call:
    """A call to a phone at the sender's own socket, through a proxy that records its route (RFC 3261 12, 13 and 16)."""

    sender: Sender
    name: str
    target: str = ""  # the callee's Contact, once it answered
    to: str = ""
    routes: str = ""  # Route headers, of what the proxies recorded
    is_over: bool = False

    def invite(self, branch: str) -> bytes:
        """The INVITE, straight to where the callee is; the proxy serves another domain."""
        callee = f"sip:callee@{self.sender.host}"
        headers = f"To: <{callee}>\r\nCSeq: 1 INVITE\r\nContact: <sip:{self.name}@{self.sender.host}>\r\n"
        return self._request("INVITE", callee, branch, headers, _OFFER)

    def ack(self, branch: str) -> bytes:
        """The ACK to a 2xx."""
        return self._in_dialog("ACK", branch, 1)

    def bye(self, branch: str) -> bytes:
        """The BYE of who called."""
        return self._in_dialog("BYE", branch, 2)

    def answered(self, response: bytes) -> None:
        """Keep the dialog that a 2xx to INVITE made."""
        if response.startswith(b"SIP/2.0 2"):
            self.to = header(response, b"To").decode("ascii")
            self.target = header(response, b"Contact").partition(b"<")[2].partition(b">")[0].decode("ascii")
            recorded = header(response, b"Record-Route").decode(
                "ascii"
            )  # of one proxy: nothing to turn round
            self.routes = f"Route: {recorded}\r\n" if recorded else ""

    def ended(self, response: bytes) -> None:
        """Note a 2xx to BYE."""
        self.is_over = response.startswith(b"SIP/2.0 2")

    def _in_dialog(self, method: str, branch: str, cseq: int) -> bytes:
        headers = f"{self.routes}To: {self.to}\r\nCSeq: {cseq} {method}\r\n"
        return self._request(method, self.target, branch, headers)

    def _request(self, method: str, uri: str, branch: str, headers: str, body: str = "") -> bytes:
        caller = (
            f"From: <sip:{self.name}@{DOMAIN}>;tag={self.name}\r\nCall-ID: {self.name}-{self.sender.run}\r\n"
        )
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return self.sender.request(method, uri, branch, caller + headers + kind, body)


_OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


# --- reading and answering -------------------------------------------------------------------------------------

BRANCH = re.compile(rb"branch=(z9hG4bK[^;,\s]*)")  # RFC 3261 8.1.1.7
COPIED = frozenset(
    (b"via", b"v", b"from", b"f", b"to", b"t", b"call-id", b"i", b"cseq", b"record-route")
)  # RFC 3261 8.2.6.2; the To of a request within a dialog has its tag already
TO = frozenset((b"to", b"t"))


def header(message: bytes, name: bytes) -> bytes:
    """The value of the first header of that name (long form, any case); b"" if there is none."""
    head = message.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.rstrip().lower() == name.lower():
            return value.strip()
    return b""


def branch_of(message: bytes) -> bytes:
    """The branch of the topmost Via, if it is one of RFC 3261; else b""."""
    found = BRANCH.search(message)
    return found[1] if found else b""


def ok(request: bytes) -> bytes:
    """A 200 to a request within a dialog."""
    return _response(b"200 OK", request)


def picked_up(request: bytes, contact: str) -> list[bytes]:
    """What a phone says to an INVITE of its first dialog: it rings, and is answered at once."""
    tagged = b";tag=callee", b"Contact: <%b>\r\n" % contact.encode("ascii")
    return [_response(line, request, *tagged) for line in (b"180 Ringing", b"200 OK")]


def _response(line: bytes, request: bytes, to_parameters: bytes = b"", more: bytes = b"") -> bytes:
    copied = []
    for line_of in request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name = line_of.partition(b":")[0].rstrip().lower()
        if name in COPIED:
            copied.append(line_of + to_parameters if name in TO else line_of)
    return b"SIP/2.0 %b\r\n%b\r\n%bContent-Length: 0\r\n\r\n" % (line, b"\r\n".join(copied), more)
