"""What happened, as it is kept and printed."""

from __future__ import annotations

from openpy.engine.log import DEBUG, ERROR, NOTICE
from openpy.sip.message import parse_message
from openpy.testing.messages import reply, request
from openpy.testing.record import LONGEST, LogLine, Record, RecordedLog, short


def test_everything_has_its_line_and_its_time() -> None:
    times = iter([0.0, 0.25, 0.5, 0.75, 0.75, 0.75])
    record = Record(lambda: next(times))
    record.came("OPTIONS sip:x", "udp:192.0.2.1:5060")
    record.noted("route")
    record.went("200 OK", "udp:192.0.2.1:5060")
    record.said(ERROR, "core", "Traceback\nValueError")
    assert str(record).split("\n") == [
        "    0.000 --> OPTIONS sip:x  from udp:192.0.2.1:5060",
        "    0.250     route",
        "    0.500 <-- 200 OK  to udp:192.0.2.1:5060",
        "    0.750     ERROR:core: Traceback",
        "    0.750     ValueError",
    ]
    assert record.log == [LogLine(ERROR, "core", "Traceback\nValueError")]
    assert record.log[0].at == 0.75


def test_a_long_line_is_cut() -> None:
    record = Record(lambda: 0.0)
    record.noted("x" * 1000)
    assert len(str(record)) < LONGEST + 20


def test_the_log_keeps_what_its_level_lets_through() -> None:
    record = Record(lambda: 0.0)
    log = RecordedLog(record)
    log.level = NOTICE
    log.write(DEBUG, "core", "much")
    log.notice("script", "little\n")
    assert [str(line) for line in record.log] == ["NOTICE:script: little"]


def test_messages_in_one_line() -> None:
    subscribe = parse_message(request("SUBSCRIBE", "sip:bob@example.com"))
    assert short(subscribe) == "SUBSCRIBE sip:bob@example.com Event: presence"
    answered = reply(subscribe, 202)  # type: ignore[arg-type]
    assert short(parse_message(answered)) == "202 Accepted (1 SUBSCRIBE)"
