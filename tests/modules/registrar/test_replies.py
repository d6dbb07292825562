"""Header lines of replies."""

from __future__ import annotations

from openpy.modules.registrar.failures import Failure, Reason
from openpy.modules.registrar.replies import contact_line, date_line, failure_lines, tells_date
from tests.modules.usrloc.kit import NOW, contact


def test_contacts() -> None:
    assert contact_line((), NOW, "received") == ""
    one = contact("sip:1@h", q=500, received="sip:192.0.2.1:1024")
    two = contact("sip:2@h", expires=NOW + 60)
    ever = contact("sip:3@h", expires=0, q=1000)
    assert contact_line((one, two, ever), NOW, "rcv") == (
        'Contact: <sip:1@h>;q=0.5;expires=3600;rcv="sip:192.0.2.1:1024", <sip:2@h>;expires=60, '
        "<sip:3@h>;q=1;expires=4294967295\r\n"
    )


def test_dates() -> None:
    line = "Date: Sun, 13 Sep 2020 12:26:40 GMT\r\n"
    assert date_line(1_600_000_000) == line
    assert date_line(1_600_000_001) == line.replace("40 GMT", "41 GMT")
    for lines in (line, f"X-A: b\r\n{line}", "DATE: today\r\n"):
        assert tells_date(lines)
    for lines in ("", "X-Date: today\r\n", "Server: date: x\r\n"):
        assert not tells_date(lines)


def test_refusals() -> None:
    assert failure_lines(Failure(Reason.CSEQ), 30) == "P-Registrar-Error: Invalid CSeq number\r\n"
    assert failure_lines(Failure(Reason.TOO_MANY), 0) == "P-Registrar-Error: Too many registered contacts\r\n"
    assert failure_lines(Failure(Reason.TOO_MANY), 30).endswith("\r\nRetry-After: 30\r\n")
