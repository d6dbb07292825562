"""A call to several phones, for the tests of tm."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from tests.engine.kit import Bench, Sent, answer, request

CALLER = "udp:192.0.2.1:5066"
PHONES = ("192.0.2.11", "192.0.2.12", "192.0.2.13")


def uri(phone: int) -> str:
    """The URI of a phone, from 1."""
    return f"sip:bob@{PHONES[phone - 1]}"


def branches(*phones: int) -> str:
    """The statements that fork to these phones."""
    first, *more = phones
    return f'$ru = "{uri(first)}"; ' + "".join(f'append_branch("{uri(phone)}"); ' for phone in more)


CANCELS = 'if (is_method("CANCEL")) { t_relay(); exit; } '


class Call:
    """One request, and the phones that it goes to."""

    def __init__(self, folder: Path, route: str, *, more: str = "", method: str = "INVITE") -> None:
        self.bench = Bench(folder, route, more=more)
        self.method = method
        self.bench.receive(request(method, "sip:bob@example.com"))

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bench.close()

    def sent_to(self, phone: int, method: str = "") -> list[Sent]:
        """The requests of a method that went to a phone, without retransmissions."""
        found: dict[bytes, Sent] = {}
        for sent in self.bench.sent:
            if sent.to == f"udp:{PHONES[phone - 1]}:5060" and sent.start.startswith(
                f"{method or self.method} "
            ):
                found.setdefault(sent.data, sent)
        return list(found.values())

    def answer(self, phone: int, status: int, *headers: str, tag: str = "") -> list[str]:
        """A phone answers its last request; the start lines of what is sent then."""
        data = answer(self.sent_to(phone)[-1], status, to_tag=tag or f"phone{phone}")
        if headers:
            data = data.replace(
                b"\r\n\r\n", "".join(f"\r\n{line}" for line in headers).encode() + b"\r\n\r\n", 1
            )
        return [sent.start for sent in self.bench.receive(data)]

    def cancel(self) -> list[str]:
        """The caller hangs up."""
        return [sent.start for sent in self.bench.receive(request("CANCEL", "sip:bob@example.com"))]

    @property
    def replies(self) -> list[str]:
        """The statuses that the caller got, without 100 and without retransmissions."""
        found = dict.fromkeys(
            sent.data for sent in self.bench.sent if sent.to == CALLER and sent.start.startswith("SIP/2.0 ")
        )
        return [data[8:11].decode() for data in found if not data.startswith(b"SIP/2.0 100")]

    @property
    def last_reply(self) -> Sent:
        """What the caller got last."""
        return next(sent for sent in reversed(self.bench.sent) if sent.to == CALLER)


def forked(tmp_path: Path, *phones: int, more: str = "", method: str = "INVITE", arm: str = "") -> Call:
    """A request that went to these phones at once."""
    route = f"{CANCELS}{arm}{branches(*phones)}t_relay();"
    return Call(tmp_path, route, more=more, method=method)
