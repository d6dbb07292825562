"""The phones of a simulation: publishers, watchers, and watchers that do not answer as they should.

All but the last are openpy's own user agents, which know nothing of the faults around them.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from openpy.sip import build
from openpy.sip.dialog import Dialog
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request, Response, parse_message
from openpy.testing.network import Address, Network
from openpy.testing.world import World
from openpy.transaction.flow import Flow
from openpy.transaction.layer import Layer
from openpy.transaction.timers import TimerValues
from openpy.transaction.wheel import Wheel
from openpy.useragent.agent import UserAgent
from openpy.useragent.exchange import Draft, Outcome
from openpy.useragent.publication import Publication
from openpy.useragent.subscription import Ended, NotifyState, Subscription

PIDF = "application/pidf+xml"
TICK = 0.1
RETRY = 2.0
"""Seconds until a watcher whose subscription ended subscribes anew."""

_TUPLE = re.compile(rb"<tuple .*?</tuple>", re.DOTALL)
_TOKEN = re.compile(rb"v[0-9]+\.[0-9]+")


def document(uri: str, publisher: int, version: int) -> bytes:
    """A presence document with one open tuple, whose note names publisher and version."""
    return (
        f'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{uri}"><tuple id="t{publisher}.{version}">'
        f"<status><basic>open</basic></status><note>v{publisher}.{version}</note></tuple></presence>"
    ).encode()


def tokens(body: bytes) -> frozenset[str]:
    """The notes of the open tuples of a document."""
    shown = (_TOKEN.search(piece) for piece in _TUPLE.findall(body) if b">open<" in piece)
    return frozenset(found[0].decode() for found in shown if found)


@dataclass(frozen=True)
class PhoneFlow:
    """The way from a phone to the server."""

    network: Network
    local: Address
    peer: Address
    transport: str = "udp"
    reliable: bool = False

    @property
    def host(self) -> str:
        return self.peer[0]

    @property
    def port(self) -> int:
        return self.peer[1]

    @property
    def local_host(self) -> str:
        return self.local[0]

    @property
    def local_port(self) -> int:
        return self.local[1]

    def send(self, data: bytes) -> None:
        self.network.send(data, self.local, self.peer)


class CountingAgent(UserAgent):
    """A user agent that knows how many of its requests are `open`, and how the others ended (by status)."""

    open = 0

    def __init__(
        self, layer: Layer, contact: str, random: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        super().__init__(layer, local_contact=contact, random=random, clock=clock)
        self.ends: Counter[int] = Counter()

    def send(self, draft: Draft, flow: Flow, on_done: Callable[[Outcome], None]) -> None:
        def done(outcome: Outcome) -> None:
            self.open -= 1
            self.ends[outcome.status] += 1
            on_done(outcome)

        self.open += 1
        super().send(draft, flow, done)


class Handset:
    """One address with a user agent."""

    def __init__(
        self, world: World, network: Network, wheel: Wheel, address: Address, server: Address
    ) -> None:
        chance = world.chance(f"phone {address}")

        def token() -> str:
            return f"{chance.getrandbits(64):016x}"

        self.flow = PhoneFlow(network, address, server)
        self.layer = Layer(wheel, TimerValues(), token)
        contact = f"sip:phone@{address[0]}:{address[1]}"
        self.agent = CountingAgent(self.layer, contact, token, lambda: world.now)
        network.attach(address, self.receive)

    def receive(self, data: bytes, source: Address) -> None:
        """A datagram came."""
        message = parse_message(data)
        if isinstance(message, Response):
            self.layer.receive_reply(message, self.flow)
        else:
            self.request(message)

    def request(self, request: Request) -> None:
        """A request came."""
        self.agent.receive_request(request, self.flow)


class Rude(Handset):
    """A phone that answers each NOTIFY with the same status, or with nothing (0)."""

    status = 0

    def request(self, request: Request) -> None:
        if self.status:
            self.flow.send(build.reply(request, self.status, build.reason_phrase(self.status)))


class Hasty:
    """A watcher that does not wait for answers: it refreshes and ends its subscription in one breath."""

    def __init__(self, handset: Handset, uri: str) -> None:
        self._handset = handset
        self._uri = uri
        self._dialog: Dialog | None = None

    def act(self, chance: random.Random) -> None:
        """Subscribe, or ask for several things in the dialog at once."""
        agent = self._handset.agent
        if self._dialog is None:
            self._send(agent.draft("SUBSCRIBE", self._uri, from_uri="sip:hasty@example.net"), 20)
            return
        for _ in range(chance.randint(1, 4)):
            self._send(agent.draft_within(self._dialog, "SUBSCRIBE"), chance.choice((0, 3, 20, 60)))

    def _send(self, draft: Draft, expires: int) -> None:
        draft.expires = expires
        draft.headers = f"Contact: <{self._handset.agent.local_contact}>\r\nEvent: presence\r\n"
        self._handset.agent.send(draft, self._handset.flow, self._done)

    def _done(self, outcome: Outcome) -> None:
        if outcome.status == 481:
            self._dialog = None
        elif (
            outcome.ok
            and outcome.response is not None
            and self._dialog is None
            and not outcome.request.to.tag
        ):
            self._dialog = Dialog.from_response(outcome.request, outcome.response)


class Publisher:
    """Publishes one state after the other for a presentity."""

    def __init__(self, handset: Handset, uri: str, number: int, expires: int) -> None:
        self.uri = uri
        self.number = number
        self.version = 0
        self.wants = False
        """Whether something of it should be published."""
        self._publication = Publication(
            handset.agent,
            uri=uri,
            from_uri=uri,
            event="presence",
            expires=expires,
            body=b"",
            content_type=PIDF,
            flow=handset.flow,
            on_result=lambda _: None,
        )

    @property
    def etag(self) -> str:
        return self._publication.etag

    def publish(self) -> None:
        """Publish the next state."""
        self.version += 1
        self.wants = True
        self._publication.modify(document(self.uri, self.number, self.version))

    def refresh(self) -> None:
        """The same for longer."""
        if self.etag:
            self._publication.refresh()

    def remove(self) -> None:
        """Take it back."""
        self.wants = False
        self._publication.remove()


class Watcher:
    """Watches a presentity, and subscribes anew whenever its subscription ends. `name` is its own URI."""

    event, accept = "presence", PIDF

    def __init__(self, world: World, handset: Handset, uri: str, name: str, expires: int) -> None:
        self.uri = uri
        self.name = name
        self.wants = False
        self.last: NotifyState | None = None
        self._world = world
        self._make: Callable[[], Subscription] = lambda: Subscription(
            handset.agent,
            target_uri=uri,
            from_uri=name,
            event=self.event,
            expires=expires,
            accept=self.accept,
            flow=handset.flow,
            on_state=self._told,
            on_end=self._ended,
        )
        self._subscription: Subscription | None = None

    @property
    def watching(self) -> bool:
        """Whether it was told something in a subscription that has not ended."""
        return self._subscription is not None and self.last is not None

    def subscribe(self) -> None:
        """Begin to watch."""
        self.wants = True
        if self._subscription is None:
            self.last = None
            self._subscription = self._make()
            self._subscription.start()

    def refresh(self) -> None:
        """The same for longer."""
        if self._subscription is not None:
            self._subscription.refresh()

    def close(self) -> None:
        """Watch no more."""
        self.wants = False
        if self._subscription is not None:
            self._subscription.close()

    def _told(self, state: NotifyState) -> None:
        self.last = None if state.state == "terminated" else state

    def _ended(self, _: Ended) -> None:
        self._subscription = None
        self._world.at(RETRY, self._again)

    def _again(self) -> None:
        if self.wants:
            self.subscribe()


def can_be_read(data: bytes) -> Request | Response | None:
    """The message in a datagram, if there is one."""
    try:
        return parse_message(data)
    except RemoteError:
        return None
