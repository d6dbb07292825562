from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.trace import Delivery, Filter, Tracing, filter_of
from openpy.script.syntax import RouteKind
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, answer, request

Event = dict[str, Any]


EVERYTHING = Filter()


class Client:
    """Takes what it is given, or not."""

    def __init__(self, answer: Delivery = Delivery.TAKEN) -> None:
        self.answer = answer
        self.told: list[Event] = []

    def __call__(self, event: Event) -> Delivery:
        if self.answer is Delivery.TAKEN:
            self.told.append(event)
        return self.answer

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.told]


class Traced(Bench):
    """A bench that can trace at once: the observed program is there."""

    def __init__(self, folder: Path, route: str = 'sl_send_reply("200", "OK");', **settings: Any) -> None:
        super().__init__(folder, route, **settings)
        self.server.tracer.prepare()

    def __enter__(self) -> Traced:
        return self

    def trace(self, client: Client, wanted: Filter = EVERYTHING, **settings: Any) -> Tracing:
        return self.server.tracer.start(wanted, client, **settings)


def plain_route(bench: Bench) -> Any:
    assert bench.server.loaded is not None
    return bench.server.loaded.program.routes[RouteKind.REQUEST, "0"]


# --- filters ----------------------------------------------------------------------------------------------------

MATCHES = [
    (Filter(), True),
    (Filter(call_id="call-1"), True),
    (Filter(call_id="call-"), False),
    (Filter(call_id="CALL-1"), False),
    (Filter(from_uri="alice@atlanta.example"), True),
    (Filter(from_uri="ALICE"), True),
    (Filter(from_uri="bob"), False),
    (Filter(method="options"), True),
    (Filter(method="INVITE"), False),
    (Filter(call_id="call-1", from_uri="alice", method="OPTIONS"), True),
    (Filter(call_id="call-1", from_uri="alice", method="INVITE"), False),
    (Filter(call_id="call-2", from_uri="alice", method="OPTIONS"), False),
    (Filter(call_id="call-1", from_uri="bob", method="OPTIONS"), False),
]


@pytest.mark.parametrize(("wanted", "expected"), MATCHES)
def test_several_filters_must_all_fit(wanted: Filter, expected: bool) -> None:
    assert wanted.matches(parse_message(request())) is expected


def test_a_reply_has_the_method_of_its_request() -> None:
    reply = parse_message(b"SIP/2.0 200 OK\r\nCSeq: 7 INVITE\r\n\r\n")
    assert Filter(method="INVITE").matches(reply)
    assert not Filter(method="BYE").matches(reply)


def test_filters_from_json() -> None:
    assert filter_of({}) == Filter()
    assert filter_of({"call_id": "x", "method": "BYE"}) == Filter(call_id="x", method="BYE")
    with pytest.raises(ValueError, match="to_uri is no filter: call_id, from_uri, method are"):
        filter_of({"to_uri": "x"})
    with pytest.raises(ValueError, match="method must be a text"):
        filter_of({"method": 5})


# --- on and off -------------------------------------------------------------------------------------------------


def test_off_the_dispatcher_calls_the_plain_route_and_on_another(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        dispatcher: Any = bench.server.dispatcher
        plain = plain_route(bench)
        assert dispatcher._main is plain
        tracing = bench.trace(Client())
        assert dispatcher._main is not plain
        tracing.stop()
        assert dispatcher._main is plain
        assert dispatcher._on_reply is None


def test_only_what_a_filter_fits_runs_the_observed_program(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        client = Client()
        bench.trace(client, Filter(method="INFO"))
        assert bench.receive(request())
        assert client.types == ["started"]
        bench.receive(request("INFO", branch="z9hG4bKinfo"))
        assert client.types == ["started", "trace"]
        assert client.told[1]["message"]["method"] == "INFO"


def test_a_route_that_waits_is_traced(tmp_path: Path) -> None:
    with Traced(tmp_path, '$ru = "sip:x@192.0.2.9;transport=tcp"; t_relay(); $var(x) = 1;') as bench:
        client, other = Client(), Client()
        bench.trace(client)
        bench.trace(other, Filter(method="INFO"))
        bench.receive(request())
        assert client.types == ["started"]
        assert bench.server.tracer.is_at_work
        flow, wait = bench.server.connecting[0]
        wait.resolve(flow)
        assert client.types == ["started", "trace"]
        assert client.told[1]["events"][-1]["target"] == "$var(x)"
        bench.receive(request("PING", branch="z9hG4bKping"))
        assert other.types == ["started"]


def test_replies_are_traced_where_the_script_routes_them(tmp_path: Path) -> None:
    more = "onreply_route { setflag(1); }"
    with Traced(tmp_path, '$ru = "sip:x@192.0.2.9"; t_relay();', more=more) as bench:
        client = Client()
        bench.trace(client)
        (sent,) = bench.receive(request())
        assert len(bench.receive(answer(sent, 200))) == 1
        assert client.types == ["started", "trace", "trace", "later"]
        reply = client.told[2]
        assert (reply["message"]["kind"], reply["message"]["start"]) == ("reply", "SIP/2.0 200 Reason")
        assert reply["events"][0]["name"] == "onreply_route"


def test_two_clients_have_their_own_filters(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        one, two = Client(), Client()
        first = bench.trace(one, Filter(call_id="a"))
        bench.trace(two, Filter(call_id="b"))
        for number, call_id in enumerate("abc"):
            bench.receive(request(call_id=call_id, branch=f"z9hG4bK{number}"))
        assert [event["message"]["call_id"] for event in one.told[1:]] == ["a"]
        assert [event["message"]["call_id"] for event in two.told[1:]] == ["b"]
        first.stop()
        bench.receive(request(call_id="b", branch="z9hG4bK9"))
        assert two.types == ["started", "trace", "trace"]
        assert bench.server.tracer.stop("over") == 1
        assert two.told[-1] == {"type": "end", "reason": "over", "traces": 2, "dropped": 0}


def test_it_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        client = Client()
        tracing = bench.trace(client, seconds=60)
        bench.run_for(59)
        assert client.types == ["started"]
        bench.run_for(2)
        assert tracing.is_over
        assert client.told[-1]["reason"] == "its time is over"
        tracing.stop()
        assert client.types == ["started", "end"]


def test_no_timer_is_left_behind(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        before = len(bench.server.wheel)
        bench.trace(Client()).stop()
        assert len(bench.server.wheel) == before


def test_it_ends_when_its_client_is_gone(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        tracing = bench.trace(client := Client())
        client.answer = Delivery.GONE
        assert bench.receive(request())
        assert tracing.is_over
        assert bench.server.dispatcher._main is plain_route(bench)


def test_a_client_that_fails_is_gone(tmp_path: Path) -> None:
    def fail(event: Event) -> Delivery:
        raise OSError("broken pipe")

    with Traced(tmp_path) as bench:
        tracing = bench.server.tracer.start(Filter(), fail)
        assert tracing.is_over
        assert bench.receive(request())


def test_what_a_busy_client_does_not_take_is_kept_and_then_dropped_and_counted(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        client = Client()
        tracing = bench.trace(client, buffered=3)
        client.answer = Delivery.BUSY
        for number in range(5):
            bench.receive(request(branch=f"z9hG4bK{number}", call_id=str(number)))
        assert tracing.dropped == 2
        client.answer = Delivery.TAKEN
        tracing.flush()
        assert [event["message"]["call_id"] for event in client.told[1:]] == ["0", "1", "2"]
        tracing.stop()
        assert client.told[-1] == {"type": "end", "reason": "it was switched off", "traces": 5, "dropped": 2}


def test_a_script_that_fails_is_answered_and_told(tmp_path: Path) -> None:
    with Traced(tmp_path, 'sl_send_reply("200", "OK");') as bench:
        client = Client()
        bench.trace(client)
        flow = bench.phone()

        failures = [ValueError("a bug")]
        send = flow.send

        def broken(data: bytes) -> None:
            if failures:
                raise failures.pop()
            send(data)

        flow.send = broken  # type: ignore[method-assign]
        bench.server.dispatcher.receive(request(), flow)
        assert bench.sent[-1].start == "SIP/2.0 500 Server Internal Error"
        trace = client.told[1]
        assert (trace["result"], trace["error"]) == ("failed", "ValueError: a bug")


def test_a_script_that_fails_behind_a_wait_is_told(tmp_path: Path) -> None:
    with Traced(tmp_path, '$ru = "sip:x@192.0.2.9;transport=tcp"; t_relay();') as bench:
        client = Client()
        bench.trace(client)
        bench.receive(request())
        bench.server.connecting[0][1].fail(ValueError("a bug"))
        assert (client.told[1]["result"], client.told[1]["error"]) == ("failed", "ValueError: a bug")
        assert bench.sent[-1].start == "SIP/2.0 500 Server Internal Error"


def test_what_is_in_flight_when_tracing_ends_goes_on(tmp_path: Path) -> None:
    with Traced(tmp_path, '$ru = "sip:x@192.0.2.9;transport=tcp"; t_relay();') as bench:
        client = Client()
        tracing = bench.trace(client)
        bench.receive(request())
        tracing.stop()
        flow, wait = bench.server.connecting[0]
        wait.resolve(flow)
        assert bench.sent[-1].start.startswith("OPTIONS sip:x@192.0.2.9")
        assert client.types == ["started", "end"]


def test_a_note_belongs_to_the_one_message_that_is_routed(tmp_path: Path) -> None:
    with Traced(tmp_path, 'xlog("here");') as bench:
        client = Client()
        bench.trace(client)
        assert not bench.server.tracer.note("log", text="nobody")

        def sink(level: int, line: str) -> None:
            bench.server.tracer.note("log", text=line)

        bench.server.log.sink = sink
        bench.receive(request())
        (noted,) = (event for event in client.told[1]["events"] if event["event"] == "log")
        assert noted["text"].endswith("here")


# --- the observed program -------------------------------------------------------------------------------------------


async def wait_for(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come")


def in_a_loop(tmp_path: Path, body: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    """Run `body(bench)` where threads can be used."""

    async def main() -> None:
        bench.server.runtime._loop = asyncio.get_running_loop()
        await body(bench)

    with Bench(tmp_path, 'sl_send_reply("200", "OK");') as bench:
        asyncio.run(main())


def test_the_observed_program_is_compiled_in_a_thread_and_messages_go_on_meanwhile(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        client = Client()
        bench.server.tracer.start(Filter(), client)
        assert client.types == []
        assert bench.receive(request())
        await wait_for(lambda: client.types == ["started"])
        bench.receive(request(branch="z9hG4bK2"))
        assert client.types == ["started", "trace"]

    in_a_loop(tmp_path, body)


def test_after_a_reload_the_new_script_is_traced(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        client = Client()
        tracer, loaded = bench.server.tracer, bench.server.loaded
        assert loaded is not None
        tracer.start(Filter(), client)
        tracer.use(loaded)  # again, while the first is being compiled
        bench.server.dispatcher.use(loaded.program)
        await wait_for(lambda: "started" in client.types)
        bench.server.dispatcher.use(loaded.program)
        tracer.use(loaded)
        await wait_for(lambda: client.types.count("started") == 2)
        bench.receive(request())
        assert client.types[-1] == "trace"

    in_a_loop(tmp_path, body)


def test_a_script_that_cannot_be_compiled_again_ends_the_tracing(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        assert bench.server.loaded is not None
        bench.server.loaded.environment.functions.clear()
        client = Client()
        tracing = bench.server.tracer.start(Filter(), client)
        await wait_for(lambda: tracing.is_over)
        assert client.told[-1]["reason"] == "the script could not be compiled for it"
        assert bench.receive(request())

    in_a_loop(tmp_path, body)


def test_a_server_without_a_main_route_can_be_traced(tmp_path: Path) -> None:
    with Traced(tmp_path, script='loadmodule "sl.so"\nonreply_route { exit; }\n') as bench:
        client = Client()
        bench.trace(client)
        assert bench.receive(request()) == []
        assert client.types == ["started"]


def test_many_messages_under_trace_are_all_answered(tmp_path: Path) -> None:
    with Traced(tmp_path) as bench:
        client = Client()
        bench.trace(client, buffered=10)
        client.answer = Delivery.BUSY
        for number in range(500):
            assert bench.receive(request(branch=f"z9hG4bK{number}", call_id=str(number)))
        assert not bench.server.tracer.is_at_work
