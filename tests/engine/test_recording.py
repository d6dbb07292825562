from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.recording import EVENTS
from openpy.engine.trace import Delivery, Filter
from tests.engine.kit import Bench, answer, request

Event = dict[str, Any]


class Traced(Bench):
    """A bench whose every message is traced."""

    def __init__(self, folder: Path, route: str, **settings: Any) -> None:
        super().__init__(folder, route, **settings)
        self.told: list[Event] = []
        self.server.tracer.prepare()
        self.server.tracer.start(Filter(), self._take)

    def __enter__(self) -> Traced:
        return self

    def _take(self, event: Event) -> Delivery:
        self.told.append(json.loads(json.dumps(event)))
        return Delivery.TAKEN

    @property
    def trace(self) -> Event:
        (trace,) = (event for event in self.told if event["type"] == "trace")
        return trace

    def events(self, *kinds: str) -> Iterator[Event]:
        return (event for event in self.trace["events"] if event["event"] in kinds)


CHANGES = {
    "setflag(3);": ("flags", [], [3]),
    "setsflag(0);": ("script_flags", [], [0]),
    "setbflag(2);": ("branch_flags", [], [2]),
    'rewritehost("192.0.2.9");': ("request_uri", "sip:bob@example.com", "sip:bob@192.0.2.9"),
    '$ru = "sip:x@192.0.2.9";': ("request_uri", "sip:bob@example.com", "sip:x@192.0.2.9"),
    'setdsturi("sip:192.0.2.8");': ("destination_uri", "", "sip:192.0.2.8"),
    'append_branch("sip:b@192.0.2.7");': ("branches", [], ["sip:b@192.0.2.7"]),
    '$avp(s:x) = "u";': ("avps", {}, {"s:x": ["u"]}),
    "$avp(i:5) = 7;": ("avps", {}, {"i:5": [7]}),
    'append_to_reply("P: 1\\r\\n");': ("reply_headers", "", "P: 1\r\n"),
    'append_hf("P: 1\\r\\n");': ("message", "", "P: 1\r\n"),
    'remove_hf("Subject");': ("message", "Subject: hello\r\n", ""),
    'mf_process_maxfwd_header("10");': ("max_forwards", None, 69),
}


@pytest.mark.parametrize("statement", CHANGES)
def test_what_a_statement_changed_is_told_behind_it(tmp_path: Path, statement: str) -> None:
    with Traced(tmp_path, f"\n{statement}\nsetdebug();") as bench:
        bench.receive(request("OPTIONS", "sip:bob@example.com", "Subject: hello", "Max-Forwards: 70"))
        changes = list(bench.events("change"))
        found = [(event["what"], event["before"], event["after"], event["line"]) for event in changes]
        line = next(bench.events("statement"))["line"]
        assert found == [(*CHANGES[statement], line)]


def test_a_message_that_came(tmp_path: Path) -> None:
    with Traced(tmp_path, "exit;") as bench:
        data = request()
        bench.receive(data)
        assert bench.trace["message"] == {
            "start": "OPTIONS sip:bob@example.com SIP/2.0",
            "from": "udp:192.0.2.1:5066",
            "size": len(data),
            "kind": "request",
            "method": "OPTIONS",
            "call_id": "call-1",
            "from_uri": "sip:alice@atlanta.example",
        }
        assert bench.trace["result"] == "ended"
        assert bench.trace["left_out"] == 0
        assert bench.trace["script"].endswith("test.cfg")


def test_a_stateless_reply_is_told_where_it_was_sent(tmp_path: Path) -> None:
    with Traced(tmp_path, '\nsl_send_reply("404", "Nobody");') as bench:
        (sent,) = bench.receive(request())
        sent_told, call = bench.events("sent", "call")
        assert sent_told["start"] == "SIP/2.0 404 Nobody"
        assert sent_told["to"] == "udp:192.0.2.1:5066"
        assert sent_told["text"].encode() == sent.data
        assert sent_told["line"] == call["line"]
        assert (call["function"], call["arguments"], call["code"]) == ("sl_send_reply", ["404", "Nobody"], 1)


def test_a_transaction_a_relayed_request_and_what_came_of_it(tmp_path: Path) -> None:
    with Traced(tmp_path, '$ru = "sip:x@192.0.2.9"; t_relay();') as bench:
        (sent,) = bench.receive(request())
        assert [event["event"] for event in bench.events("transaction")] == ["transaction"]
        (told,) = bench.events("sent")
        assert (told["start"], told["to"]) == ("OPTIONS sip:x@192.0.2.9 SIP/2.0", "udp:192.0.2.9:5060")
        bench.receive(answer(sent, 200))
        later = bench.told[-1]
        assert (later["type"], later["event"], later["trace"]) == ("later", "sent", bench.trace["trace"])
        assert later["start"] == "SIP/2.0 200 Reason"


def test_requests_of_others_are_not_told(tmp_path: Path) -> None:
    with Traced(tmp_path, 'if (is_method("INFO")) { $ru = "sip:x@192.0.2.9"; t_relay(); }') as bench:
        bench.receive(request("INFO", branch="z9hG4bKone"))
        bench.told.clear()
        bench.receive(request("INFO", branch="z9hG4bKtwo", call_id="call-2"))
        (told,) = bench.events("sent")
        assert told["call_id"] == "call-2"


def test_arguments_are_told_as_the_function_saw_them(tmp_path: Path) -> None:
    with Traced(tmp_path, '$var(x) = "a"; xlog("$var(x) at $rd, $$"); is_method("INVITE");') as bench:
        bench.receive(request())
        written, method = bench.events("call")
        assert written["arguments"] == ["$var(x) at $rd, $$"]
        assert written["expanded"] == {"0": "a at example.com, $"}
        assert "expanded" not in method
        assert method["code"] == -1


def test_values_tests_and_bodies(tmp_path: Path) -> None:
    with Traced(
        tmp_path,
        'if (method == "BYE" || $hdr(X) == NULL) { $rU = $hdr(X) + 1; } route(1);',
        more="route[1] { ; }",
    ) as bench:
        bench.receive(request())
        told = [
            (
                event["event"],
                *(event.get(name) for name in ("name", "value", "test", "result", "decides", "route")),
            )
            for event in bench.events("value", "test", "return")
        ]
        assert told == [
            ("value", "method", "OPTIONS", None, None, None, None),
            ("test", None, None, 'method == "BYE"', False, False, None),
            ("value", "$hdr(X)", None, None, None, None, None),
            ("test", None, None, "$hdr(X) == NULL", True, False, None),
            ("test", None, None, "", True, True, None),
            ("value", "$hdr(X)", None, None, None, None, None),
            ("return", None, None, None, None, None, "1"),
        ]
        (failed,) = bench.events("set")
        assert (failed["target"], failed["value"], failed["succeeded"]) == ("$rU", None, False)
        routes = [(event["name"], event["line"], event["end_line"]) for event in bench.events("route")]
        assert [name for name, _, _ in routes] == ["route", "route[1]"]


def test_a_test_that_has_no_answer_is_an_error(tmp_path: Path) -> None:
    with Traced(tmp_path, "if ($(hdr(X){s.len}) == 3) exit;") as bench:
        bench.receive(request())
        (test,) = bench.events("test")
        assert test["result"] == "error"


def test_a_dropped_message(tmp_path: Path) -> None:
    with Traced(tmp_path, "drop;") as bench:
        bench.receive(request())
        assert bench.trace["result"] == "dropped"


def test_a_recording_is_bounded(tmp_path: Path) -> None:
    loop = "while ($var(i) < 90) { $var(i) += 1; " + "$var(x) = $ru; " * 20 + "}"
    with Traced(tmp_path, loop) as bench:
        bench.receive(request())
        assert len(bench.trace["events"]) == EVENTS
        assert bench.trace["left_out"] > 1000
