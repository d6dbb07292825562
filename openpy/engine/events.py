"""Events: what a module or the server tells the script by running `event_route[module:event]`.

Rules:
1. Who raises an event declares it once, in its class, as an `Event`; the loader and the docs read it there.
2. Where the script has no route for it, the attribute is None: nothing is called.
3. An event about a message runs over that message, any other over a request that is made up, as in Kamailio: an
   OPTIONS from nowhere, whose answers go nowhere. Its route cannot change what happens to the message.
4. Only functions that work in every kind of route can be called there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

from openpy.engine.run import Run
from openpy.engine.waiting import Stepper
from openpy.script.compiler import CompiledRoute, Program
from openpy.script.syntax import RouteKind
from openpy.sip.message import Message, parse_message

if TYPE_CHECKING:
    from openpy.engine.server import Server
    from openpy.transaction.flow import Flow
    from openpy.transaction.server import ServerTransaction

_MADE_UP = (
    b"OPTIONS sip:nobody@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKevent\r\n"
    b"From: <sip:nobody@127.0.0.1>;tag=event\r\n"
    b"To: <sip:nobody@127.0.0.1>\r\n"
    b"Call-ID: event\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 0\r\n"
    b"\r\n"
)


class Nowhere:
    """A way that leads nowhere: what is sent by it is dropped."""

    transport = "udp"
    host = local_host = "127.0.0.1"
    port = local_port = 0
    reliable = False

    def send(self, data: bytes) -> None:
        """Drop it."""


class EventRoute:
    """Runs one event route, whichever script has it; an error in it is logged. Without one it does nothing."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._program: Program | None = None
        self._route: CompiledRoute | None = None

    def lead_to(self, program: Program, route: CompiledRoute | None) -> None:
        """Run this one from now on, for all who know this object."""
        self._program = program
        self._route = route

    def __call__(
        self,
        message: Message | None = None,
        flow: Flow | None = None,
        transaction: ServerTransaction | None = None,
    ) -> None:
        """Run it over a message, or over one that is made up."""
        route = self._route
        if route is None:
            return
        run = Run(self._server, message or parse_message(_MADE_UP), flow or Nowhere(), transaction)
        run.program = self._program
        try:
            result = route.function(run)
        except Exception as error:  # noqa: BLE001 - whatever the route raises, who raised the event goes on
            self._server.report(error)
            return
        if route.is_async:
            Stepper(result, self._ended).step()

    def _ended(self, result: object, error: BaseException | None) -> None:
        if error is not None:
            self._server.report(error)


class Event:
    """One event. On an instance the attribute runs its route, or is None where the script has none:

    `if self.local_response is not None: self.local_response(run.message, run.flow)`
    """

    def __init__(self, doc: str, *, name: str = "") -> None:
        """`name` is the attribute's, with `-` for `_`, unless it is given."""
        self.doc = doc
        self.name = name
        self._attribute = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._attribute = name
        self.name = self.name or name.replace("_", "-")

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> Event: ...
    @overload
    def __get__(self, owner: object, kind: type[Any]) -> EventRoute | None: ...
    def __get__(self, owner: object | None, kind: type[Any]) -> Event | EventRoute | None:
        if owner is None:
            return self
        route: EventRoute | None = vars(owner).setdefault(
            self._attribute, None
        )  # from now on read without this
        return route

    def connect(self, server: Server, owner: object, program: Program, route: CompiledRoute | None) -> None:
        """Have an owner's event run a route of a program from now on, if there is one."""
        before: EventRoute | None = vars(owner).get(self._attribute)
        if before is not None:
            before.lead_to(program, route)
        elif route is not None:
            before = EventRoute(server)
            before.lead_to(program, route)
        vars(owner)[self._attribute] = None if route is None else before


def events_of(kind: type[Any]) -> Iterator[Event]:
    """The events that a class declares."""
    for base in reversed(kind.__mro__):
        yield from (item for item in vars(base).values() if isinstance(item, Event))


def connect_events(server: Server, group: str, owner: object, program: Program) -> None:
    """Let an owner's events run the routes of a program."""
    for event in events_of(type(owner)):
        event.connect(server, owner, program, program.route(RouteKind.EVENT, f"{group}:{event.name}"))
