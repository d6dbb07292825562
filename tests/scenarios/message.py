"""SIP messages taken apart by means of their own, so that the tests do not trust what they test."""

from __future__ import annotations

from dataclasses import dataclass

PIDF = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{entity}">'
    '<tuple id="{tuple_id}"><status><basic>{basic}</basic></status><note>{note}</note></tuple></presence>'
)

COMPACT = {
    "c": "Content-Type",
    "f": "From",
    "i": "Call-ID",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
}
COMPACT |= {"t": "To", "v": "Via"}


def pidf(
    entity: str = "sip:alice@example.org", tuple_id: str = "desk", basic: str = "open", note: str = ""
) -> bytes:
    """A presence document with one tuple."""
    return PIDF.format(entity=entity, tuple_id=tuple_id, basic=basic, note=note).encode()


@dataclass
class SipMessage:
    """A message as it came, and who sent it."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes
    address: tuple[str, int] = ("", 0)
    raw: bytes = b""

    @property
    def status(self) -> int:
        return int(self.start.split(" ", 2)[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        return "" if self.status else self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return "" if self.status else self.start.split(" ")[1]

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def to_tag(self) -> str:
        return self.get("To").partition(";tag=")[2]

    @property
    def cseq(self) -> int:
        return int(self.get("CSeq").split()[0])

    @property
    def branch(self) -> str:
        return self.get("Via").partition(";branch=")[2].partition(";")[0]


def parse(data: bytes, address: tuple[str, int] = ("", 0)) -> SipMessage:
    """Take a message apart: headers in order, unfolded, by their long names."""
    head, _, body = data.partition(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith((" ", "\t")) and headers:
            name, value = headers.pop()
            headers.append((name, f"{value} {line.strip()}".strip()))
        else:
            name, _, value = line.partition(":")
            headers.append((COMPACT.get(name.strip().lower(), name.strip()), value.strip()))
    return SipMessage(start, headers, body, address, data)
