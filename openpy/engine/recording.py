"""What a script does with one message, written down while it does it: a list of events that JSON can hold.

Rules:
1. Nothing here raises, waits, or changes what the script sees. What a run holds is read, never written, but for
   `run.flow`, which tells what is answered and is the same way otherwise.
2. What was changed is found by comparing the run before and after each function and assignment, and told behind it.
3. A recording is bounded: EVENTS events, and texts as `eventfields` cuts them. What is beyond is counted.

docs/explain.md describes the events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from openpy.engine.eventfields import Event, as_written, cut, described, sent_event
from openpy.engine.run import Run
from openpy.script.comparisons import ERROR, Verdict
from openpy.script.syntax import (
    Assignment,
    Call,
    Expression,
    Operand,
    Position,
    PseudoVariable,
    Route,
    RouteCall,
    Statement,
)
from openpy.script.values import Value
from openpy.sip.edits import Change
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Mark

EVENTS = 2000


class _Running(NamedTuple):
    """A function that was called: where, what had been sent before, and what its arguments became."""

    position: Position
    mark: Mark
    expanded: dict[str, Value]


class Recording:
    """One message on its way through the script.

    `tell(object)` hears all of it when its route has ended, and then what else is sent for the message.
    """

    def __init__(self, run: Run, number: int, script: str, tell: Callable[[Event], None]) -> None:
        self.run = run
        self.number = number
        self.script = script
        self.events: list[Event] = []
        self.left_out = 0
        self._started = run.server.clock.wall()
        self._has_ended = False
        self._tell = tell
        self._message = described(run.message, run.flow)
        self._calls: list[_Running] = []
        self._at: Position | None = None
        self._told: set[str] = set()
        self._before = _snapshot(run)
        self._had_transaction = run.transaction is not None
        run.flow = ToldFlow(run.flow, self)

    # --- events ---------------------------------------------------------------------------------------------------

    def add(self, event: str, position: Position | None, **fields: Any) -> None:
        """Write down an event, without a position where the script is now; once the route has ended, tell it."""
        entry: Event = {"event": event}
        if position is None and not self._has_ended:
            position = self._calls[-1].position if self._calls else self._at
        self._at = position
        if position is not None:
            entry |= {"file": position.file, "line": position.line, "column": position.column}
        entry |= fields
        if self._has_ended:
            self._tell({"type": "later", "trace": self.number, **entry})
        elif len(self.events) < EVENTS:
            self.events.append(entry)
        else:
            self.left_out += 1

    def calling(self, node: Call) -> None:
        """A function begins: what it sends and what it asks for is its own."""
        self._calls.append(_Running(node.position, self.run.server.transactions.mark(), {}))

    def expanded(self, number: int, value: Value) -> None:
        """The function that runs asked for an argument."""
        if self._calls:
            self._calls[-1].expanded[str(number)] = cut(value)

    def called(self, node: Call, code: int) -> None:
        """The function ended."""
        running = self._calls.pop()
        fields: Event = {"function": node.name, "arguments": [as_written(item) for item in node.arguments]}
        if running.expanded:
            fields["expanded"] = running.expanded
        self.add("call", node.position, **fields, code=code)
        self.changed(node.position)
        self._requests_sent(running.mark, node.position)

    def changed(self, position: Position) -> None:
        """Tell what is different since the last time."""
        if self.run.transaction is not None and not self._had_transaction:
            self._had_transaction = True
            self.add("transaction", position)
        after = _snapshot(self.run)
        if after == self._before:
            return
        for what, value in after.items():
            before = self._before[what]
            if what == "edits" and value != before:
                self._edited(value[len(before) :], position)
            elif value != before:
                self.add("change", position, what=what, before=before, after=value)
        self._before = after

    def _edited(self, edits: list[Change], position: Position) -> None:
        raw = self.run.message.raw
        for start, end, text in edits:
            self.add("change", position, what="message", before=cut(raw[start:end]), after=cut(text))

    def _requests_sent(self, mark: Mark, position: Position) -> None:
        """The requests with this message's Call-ID that have left since."""
        for client in self.run.server.transactions.sent_since(mark):
            if client.branch in self._told:
                continue
            sent = sent_event(client.data, client.flow)
            if sent["call_id"] == self._message["call_id"]:
                self._told.add(client.branch)
                self.add("sent", position, **sent)

    def end(self, error: BaseException | None) -> None:
        """The route came to its end, or failed: tell all of it."""
        self._has_ended = True
        trace = {
            "type": "trace",
            "trace": self.number,
            "time": round(self._started, 3),
            "script": self.script,
            "message": self._message,
            "events": self.events,
            "left_out": self.left_out,
            "result": "failed" if error is not None else "dropped" if self.run.dropped else "ended",
        }
        if error is not None:
            trace["error"] = f"{type(error).__name__}: {error}"
        self._tell(trace)


class Recorder:
    """Hears an observed program, and writes down the runs that somebody wants to see."""

    def __init__(self) -> None:
        self._recordings: dict[int, Recording] = {}  # by identity of the run, which the recording keeps alive

    def begin(self, recording: Recording) -> None:
        """Write down a run from now on."""
        self._recordings[id(recording.run)] = recording

    def end(self, recording: Recording, error: BaseException | None = None) -> None:
        """Its route came to its end, or failed."""
        del self._recordings[id(recording.run)]
        recording.end(error)

    def all(self) -> list[Recording]:
        """What is being written down."""
        return list(self._recordings.values())

    # --- what the program tells: openpy.script.observing.Observer ---------------------------------------------------

    def entered(self, run: Run, route: Route) -> None:
        """A route begins."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            position = route.position
            name = route.kind.value if route.name in ("", "0") else f"{route.kind.value}[{route.name}]"
            recording.add("route", position, name=name, end_line=position.end_line)

    def reached(self, run: Run, node: Statement) -> None:
        """A statement begins."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.add("statement", node.position, kind=type(node).__name__.lower())

    def opened(self, run: Run, position: Position) -> None:
        """A body begins."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.add("body", position)

    def read(self, run: Run, node: PseudoVariable | Operand, value: Value) -> None:
        """A value was read."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.add("value", node.position, name=as_written(node), value=cut(value))

    def tested(self, run: Run, node: Expression, verdict: Verdict, decides: bool) -> Verdict:
        """A test gave this."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            result: object = "error" if verdict is not True and verdict == ERROR else bool(verdict)
            recording.add("test", node.position, test=as_written(node), result=result, decides=decides)
        return verdict

    def calling(self, run: Run, node: Call) -> None:
        """A function is about to be called."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.calling(node)

    def expanded(self, run: Run, node: Call, number: int, value: Value) -> None:
        """An argument was made."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.expanded(number, value)

    def called(self, run: Run, node: Call, code: int) -> None:
        """A function returned."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.called(node, code)

    def assigned(self, run: Run, node: Assignment, value: Value, succeeded: bool) -> None:
        """An assignment was made, or not."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            fields = {"target": node.target.text, "operator": node.operator, "value": cut(value)}
            recording.add("set", node.position, **fields, succeeded=succeeded)
            recording.changed(node.position)

    def returned(self, run: Run, node: RouteCall, code: int) -> None:
        """A route came back."""
        recording = self._recordings.get(id(run))
        if recording is not None:
            recording.add("return", node.position, route=node.name, code=code)


class ToldFlow:
    """The way back to the sender, which tells what leaves by it."""

    __slots__ = ("_flow", "_recording")

    def __init__(self, flow: Flow, recording: Recording) -> None:
        self._flow = flow
        self._recording = recording

    def __getattr__(self, name: str) -> Any:
        return getattr(self._flow, name)

    @property
    def transport(self) -> str:
        """As the way itself."""
        return self._flow.transport

    @property
    def reliable(self) -> bool:
        """As the way itself."""
        return self._flow.reliable

    @property
    def host(self) -> str:
        """As the way itself."""
        return self._flow.host

    @property
    def port(self) -> int:
        """As the way itself."""
        return self._flow.port

    @property
    def local_host(self) -> str:
        """As the way itself."""
        return self._flow.local_host

    @property
    def local_port(self) -> int:
        """As the way itself."""
        return self._flow.local_port

    def send(self, data: bytes) -> None:
        """Send, and tell."""
        self._flow.send(data)
        self._recording.add("sent", None, **sent_event(data, self._flow))


def _snapshot(run: Run) -> dict[str, Any]:
    """What a script can change, as values to compare and to tell."""
    state, edits = run.state, run.edits_made
    return {
        "request_uri": cut(run.uri),
        "destination_uri": cut(state.destination_uri),
        "branches": [str(cut(branch)) for branch in run.branch_list()],
        "flags": _numbers(state.flags),
        "branch_flags": _numbers(state.branch_flags),
        "script_flags": _numbers(run.script_flags),
        "max_forwards": run.hops,
        "avps": {_avp(name): [cut(value) for value in values] for name, values in state.avps.items()},
        "reply_headers": cut(state.reply_headers),
        "edits": [] if edits is None else edits.changes,
        "body": None if edits is None or edits.body is None else cut(edits.body),
    }


def _numbers(flags: int) -> list[int]:
    """The flags that are set."""
    return [number for number in range(flags.bit_length()) if flags >> number & 1]


def _avp(name: str | int) -> str:
    return f"i:{name}" if isinstance(name, int) else f"s:{name}"
