"""Traces of a running server: what the script does with the messages that somebody asked about.

Rules:
1. While nobody traces there is nothing: the dispatcher calls the plain routes. While somebody does, it calls entries
   that choose: a message that a filter matches runs the observed program, any other the plain one.
2. The observed program is compiled when it is first asked for, in a thread; the tracing starts once it is there.
3. A sink is never waited for. What it cannot take now is kept, at most so many traces; more are dropped and counted.
4. A tracing ends when it is told to, when its sink is gone, or when its time is over.

The transport is somebody else's: a sink takes objects that JSON can hold. docs/explain.md describes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from openpy.engine.eventfields import Event, from_uri_of, method_of
from openpy.engine.recording import Recorder, Recording
from openpy.engine.run import Run
from openpy.script.compiler import CompiledRoute, Program, compile_script
from openpy.script.syntax import RouteKind
from openpy.sip.message import Message
from openpy.transaction.wheel import Timer

if TYPE_CHECKING:
    from openpy.engine.loader import Loaded
    from openpy.engine.server import Server

SECONDS = 600.0
BUFFERED = 100

MAIN, ON_REPLY = (RouteKind.REQUEST, "0"), (RouteKind.ONREPLY, "")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are traced: those that everything given here fits."""

    call_id: str = ""
    """The whole Call-ID."""
    from_uri: str = ""
    """`user@host`, or any other part of the URI in From, without case."""
    method: str = ""
    """Of the request, or of the request that a reply answers, without case."""

    def matches(self, message: Message) -> bool:
        """Whether a message fits."""
        if self.call_id and message.get("Call-ID") != self.call_id:
            return False
        if self.method and method_of(message).upper() != self.method.upper():
            return False
        return not self.from_uri or self.from_uri.lower() in from_uri_of(message).lower()


def filter_of(fields: Mapping[str, Any]) -> Filter:
    """The filter in an object that came by JSON; raises ValueError for what is none."""
    known = {item.name for item in dataclass_fields(Filter)}
    for name, value in fields.items():
        if name not in known:
            raise ValueError(f"{name} is no filter: {', '.join(sorted(known))} are")
        if not isinstance(value, str):
            raise ValueError(f"{name} must be a text")
    return Filter(**fields)


class Delivery(Enum):
    """What became of an object that was given to a sink."""

    TAKEN = "taken"
    BUSY = "busy"
    """Not taken: it is offered again with the next one, or when `Tracing.flush` is called."""
    GONE = "gone"
    """Nobody is there any more."""


Sink = Callable[[Event], Delivery]


class Tracing:
    """What one client asked for. Made by `Tracer.start`."""

    def __init__(self, wanted: Filter, sink: Sink, buffered: int, over: Callable[[Tracing], None]) -> None:
        self.wanted = wanted
        self.traces = 0
        self.dropped = 0
        self.is_over = False
        self._sink = sink
        self._buffered = buffered
        self._over = over
        self._waiting: deque[Event] = deque()

    def deliver(self, event: Event) -> None:
        """Give the sink an object, now or later; drop it where too many wait."""
        if self.is_over:
            return
        if event["type"] == "trace":
            self.traces += 1
        if len(self._waiting) >= self._buffered:
            self.flush()
        if len(self._waiting) >= self._buffered:
            self.dropped += 1
            return
        self._waiting.append(event)
        self.flush()

    def flush(self) -> None:
        """Offer the sink what waits: for a transport that can take more now."""
        while self._waiting:
            given = self._offer(self._waiting[0])
            if given is Delivery.BUSY:
                return
            if given is Delivery.GONE:
                self._waiting.clear()
                self._end()
                return
            self._waiting.popleft()

    def stop(self, reason: str = "it was switched off") -> None:
        """End it; the sink hears why, behind what it can take of the rest."""
        if self.is_over:
            return
        self._waiting.append(
            {"type": "end", "reason": reason, "traces": self.traces, "dropped": self.dropped}
        )
        self._end()
        self.flush()

    def _end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._over(self)

    def _offer(self, event: Event) -> Delivery:
        """A sink that fails is gone: no message shall fail for it."""
        try:
            return self._sink(event)
        except Exception:  # noqa: BLE001 - whatever a transport raises, it will take nothing any more
            return Delivery.GONE


class Tracer:
    """All tracing of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._recorder = Recorder()
        self._loaded: Loaded | None = None
        self._observed: Program | None = None
        self._is_compiling = False
        self._tracings: dict[Tracing, Timer] = {}
        self._numbers = 0

    def use(self, loaded: Loaded) -> None:
        """Trace this script from now on; to be called after each `Dispatcher.use`."""
        self._loaded = loaded
        if self._observed is not None:
            self._observed.retire()
        self._observed = None
        if self._tracings:
            self._compile()

    def prepare(self) -> None:
        """Compile the observed program now. Blocks."""
        if self._loaded is not None and self._observed is None:
            self._observed = compile_script(self._loaded.script, self._loaded.environment, self._recorder)

    def start(
        self, wanted: Filter, sink: Sink, *, seconds: float = SECONDS, buffered: int = BUFFERED
    ) -> Tracing:
        """Trace for a client; its sink hears `started` (again after a reload), then each trace, at last `end`.

        It ends by itself after so many seconds; so many traces are kept for a sink that is busy.
        """
        tracing = Tracing(wanted, sink, buffered, self._ended)
        over = partial(tracing.stop, "its time is over")
        self._tracings[tracing] = self._server.wheel.add(seconds, over)
        if self._observed is not None:
            self._divert([tracing])
        else:
            self._compile()
        return tracing

    def stop(self, reason: str = "it was switched off") -> int:
        """End all tracing, whoever started it; returns how many there were."""
        tracings = list(self._tracings)
        for tracing in tracings:
            tracing.stop(reason)
        return len(tracings)

    @property
    def is_at_work(self) -> bool:
        """Whether a message is being routed that somebody wants to see."""
        return bool(self._recorder.all())

    def note(self, event: str, **fields: Any) -> bool:
        """Write something down for the message that is being routed; False unless there is exactly one."""
        recordings = self._recorder.all()
        if len(recordings) != 1:
            return False
        recordings[0].add(event, None, **fields)
        return True

    # --- the observed program -----------------------------------------------------------------------------------

    def _compile(self) -> None:
        """Compile in a thread; whatever script is loaded when that is done is the one that counts."""
        loaded = self._loaded
        if self._is_compiling or loaded is None:
            return
        self._is_compiling = True
        wait = self._server.run_blocking(compile_script, loaded.script, loaded.environment, self._recorder)

        def done() -> None:
            self._is_compiling = False
            if loaded is not self._loaded:
                if wait.value is not None:
                    wait.value.retire()
                self._compile()
            elif wait.value is None:
                self.stop("the script could not be compiled for it")
            else:
                self._observed = wait.value
                if self._tracings:
                    self._divert(list(self._tracings))

        wait.on_done(done)

    def _divert(self, beginners: list[Tracing]) -> None:
        """Let the dispatcher call entries that choose, and tell these clients that it has begun."""
        self._server.dispatcher.divert(self._entry(MAIN), self._entry(ON_REPLY))
        for tracing in beginners:
            tracing.deliver({"type": "started", "script": self._script})

    @property
    def _script(self) -> str:
        return "" if self._loaded is None else self._loaded.script.file

    def _ended(self, tracing: Tracing) -> None:
        self._tracings.pop(tracing).cancel()
        if not self._tracings and self._loaded is not None:
            routes = self._loaded.program.routes
            self._server.dispatcher.divert(routes.get(MAIN), routes.get(ON_REPLY))

    def _entry(self, key: tuple[RouteKind, str]) -> CompiledRoute | None:
        """A route that runs the observed one where somebody wants to see it, else the plain one."""
        assert self._loaded is not None
        assert self._observed is not None
        plain = self._loaded.program.routes.get(key)
        if plain is None:
            return None
        routine, program = plain.function, self._observed  # whose route goes on while it waits

        def run_it(run: Run) -> Any:
            recording = self._begin(run)
            if recording is None:
                return routine(run)
            try:
                code = program.routes[key].function(run)
            except Exception as error:
                self._recorder.end(recording, error)
                raise
            self._recorder.end(recording)
            return code

        async def run_slowly(run: Run) -> Any:
            recording = self._begin(run)
            if recording is None:
                return await routine(run)
            try:
                code = await program.routes[key].function(run)
            except Exception as error:
                self._recorder.end(recording, error)
                raise
            self._recorder.end(recording)
            return code

        return replace(plain, function=run_slowly if plain.is_async else run_it)

    def _begin(self, run: Run) -> Recording | None:
        """Begin to write down a run, if somebody wants to see it."""
        wanting = [tracing for tracing in self._tracings if tracing.wanted.matches(run.message)]
        if not wanting:
            return None
        self._numbers += 1
        recording = Recording(run, self._numbers, self._script, partial(_tell, wanting))
        self._recorder.begin(recording)
        return recording


def _tell(tracings: list[Tracing], event: Event) -> None:
    for tracing in tracings:
        tracing.deliver(event)
