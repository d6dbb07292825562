"""The presence agent: what one server knows of presence (RFC 3856, 3903).

Rules:
1. Requests are decided by publishing.py and subscribing.py, the end of things by expiry.py; the changes that they
   submit make the state here what they decided.
2. Time is the clock's monotonic one, set to Unix time once at the start: a jump of the wall clock ends nothing. Rows
   hold this time. The next start reads them by the wall clock as it is then: what the clock was moved while the server
   ran, the rows written before seem older or younger.
3. A presentity is kept as long as it has something to remember.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count, islice
from sys import intern

from openpy.engine.deadlines import Deadlines
from openpy.engine.services import Services
from openpy.modules.presence import deciding
from openpy.modules.presence.authorization import Decision
from openpy.modules.presence.budgets import Budgets
from openpy.modules.presence.counts import Counts
from openpy.modules.presence.dialog import LAST_CSEQ, Dialog, Subscription
from openpy.modules.presence.events import EventPackage, EventRegistry
from openpy.modules.presence.eventstate import LARGEST_LAST_STATE, EventState, LastState
from openpy.modules.presence.notifier import Notifier
from openpy.modules.presence.presentity import Committed, Presentity, Undone
from openpy.modules.presence.publications import Publication, Standing
from openpy.modules.presence.requests import contact_uri
from openpy.modules.presence.retransmissions import LIFETIME, mark_of
from openpy.modules.presence.settings import Settings
from openpy.modules.presence.store import Store
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import Uri
from openpy.transaction.flow import Flow

Mortal = Publication | Subscription | LastState | Decision
"""What has a deadline."""

SLICE = 64
"""How many presentities are looked at before messages are read again."""

HEAL_AFTER = 1.0
"""Seconds between two attempts to write rows whose fate is unknown."""


DECIDE_AFTER = 1.0
"""Seconds after which what could not be committed about watchers is decided again."""


class PresenceAgent:
    """Everything that one server knows of presence."""

    def __init__(
        self, services: Services, registry: EventRegistry, store: Store, settings: Settings, counts: Counts
    ) -> None:
        self.services = services
        self.registry = registry
        self.store = store
        self.settings = settings
        self.counts = counts
        self.budgets = Budgets(settings.shares)
        self.presentities: dict[str, Presentity] = {}
        self.dialogs: dict[str, Dialog] = {}
        """By our tag."""
        self.notifier = Notifier(self)
        self._monotonic = services.clock.monotonic
        self._epoch = services.clock.wall() - self._monotonic()
        self.deadlines: Deadlines[Mortal] = Deadlines(self.now())
        self.young_until = self.now() + LIFETIME
        """Until when somebody may send again what a life before this one has carried out."""
        self._numbers = count(1)
        self._settle = self._settled  # one bound method for all presentities

    def go_by(self, settings: Settings) -> None:
        """Other settings count from now on."""
        self.settings = settings
        self.budgets.use(settings.shares)

    def now(self) -> float:
        """Unix time in seconds."""
        return self._epoch + self._monotonic()

    def presentity(self, uri: str) -> Presentity:
        """The presentity of a canonical URI, made if there is none."""
        found = self.presentities.get(uri)
        if found is None:
            found = self.presentities[uri] = Presentity(uri, self.store, self._settle)
        return found

    def standing(self, uri: str, package: EventPackage, etag: str) -> Standing | None:
        """What an entity-tag names, as it will be once everything outstanding is committed."""
        presentity = self.presentities.get(uri)
        return None if presentity is None else presentity.publication(package, etag)

    def let_go(self, presentity: Presentity) -> None:
        """Forget a presentity of which nothing is known."""
        if presentity.idle:
            self.presentities.pop(presentity.uri, None)
            presentity.take_apart()

    def contact(self, flow: Flow, request: Request | None = None) -> str:
        """Our Contact URI towards a peer; `request` is what a dialog with it comes from."""
        if self.settings.server_address:
            return self.settings.server_address
        host, port = self.services.advertised(flow)
        return intern(contact_uri(flow.transport, host, port, request))  # one string for all dialogs

    def new_etag(self, request: Request) -> str:
        """An entity-tag for the answer to a request: never given out before, and nobody can guess it."""
        return f"a.{self.services.token()}.{next(self._numbers)}.{mark_of(request)}"

    def new_tag(self) -> str:
        """A To-tag that was never given out and that nobody can guess."""
        return f"{self.settings.to_tag_pref}.{self.services.token()}.{next(self._numbers)}"

    # --- publications ---------------------------------------------------------------------------------------------

    def published(self, publication: Publication) -> None:
        """A new publication is kept."""
        self.counts.publications.value += 1
        self.deadlines.put(publication)

    def unpublished(self, publication: Publication) -> None:
        """A publication has ended."""
        self.counts.publications.value -= 1
        self.deadlines.remove(publication)
        publication.state = None

    def show(self, state: EventState, silenced: Uri | None = None) -> None:
        """Tell the watchers of an event what it is now, if that is news."""
        if state.subscriptions:
            tail = state.tail(self.now())
            if tail != state.told:
                state.told = tail
                if state.shown is None:
                    self.notifier.fan_out(list(state.subscriptions.values()), silenced)
                else:
                    self.notifier.fan_out(state.shown.news(self, state), silenced)
                    self.decide_by_state(state)

    # --- who may watch --------------------------------------------------------------------------------------------

    def decide_by_state(self, state: EventState) -> None:
        """What is published has changed: judge the watchers anew if some verdict depends on it."""
        if state.access is not None and state.access.by_state:
            self.decide_anew(state)

    def decide_anew(self, state: EventState) -> None:
        """Judge all watchers of an event by its rules, soon."""
        access = state.access
        if access is not None and not access.asked:
            access.asked = True
            self.services.soon(partial(self._decide_anew, state))

    def _decide_anew(self, state: EventState) -> None:
        try:
            decided = deciding.decide_anew(self, state, anew=False)
        except RemoteError as error:
            decided = None
            self.services.log.warning("presence", f"nothing is decided for {state.presentity.uri}: {error}")
        if decided is not None:
            _, committed = decided
            committed.on_done(partial(self._decided, state, committed))
        self.store.writer.flush()

    def _decided(self, state: EventState, committed: Committed) -> None:
        if isinstance(committed.value, Undone):
            self.decide_anew(state)
        elif committed.value is not None:
            self.services.wheel.add(DECIDE_AFTER, self.decide_anew, state)

    def look_again(self, package: EventPackage) -> None:
        """What decides about an event's watchers, or is told them, may have changed for every presentity."""
        self._look_at_some(package, iter(list(self.presentities.values())))

    def _look_at_some(self, package: EventPackage, presentities: Iterator[Presentity]) -> None:
        """Look at some presentities, and at the others after what has arrived was read."""
        some = list(islice(presentities, SLICE))
        for presentity in some:
            state = presentity.events.get(package.name)
            if state is not None and state.subscriptions:
                state.changed()
                if package.req_auth:
                    for subscription in state.subscriptions.values():
                        deciding.check(self, subscription)
        if len(some) == SLICE:
            self.services.soon(partial(self._look_at_some, package, presentities))

    def forget_decision(self, decision: Decision) -> None:
        """Nobody waits for a decision any more."""
        self.deadlines.remove(decision)
        state, decision.state = decision.state, None
        if state is not None and state.access is not None:
            decisions = state.access.decisions
            if decisions.get(decision.watcher_uri) is decision:  # and not one that replaced it meanwhile
                del decisions[decision.watcher_uri]

    # --- last states ----------------------------------------------------------------------------------------------

    def last_state(self, state: EventState, ended: Sequence[Standing]) -> LastState | None:
        """What is told once these were the last publications of an event.

        None if others remain, or if nobody watches and there are too many last states already.
        """
        package = state.package
        if package.offline_nbody is None or next(state.tentative(), None) is not None:
            return None
        if state.last is None and not state.subscriptions and not self.budgets.has_room_for_last_state():
            return None
        body = package.offline_nbody(state.presentity.uri, [standing.document for standing in ended])
        if len(body) > LARGEST_LAST_STATE:
            body = package.offline_nbody(state.presentity.uri, ())
        id_ = self.store.last_state_id() if state.last is None else state.last.id
        return LastState(state, id_, self.now(), body)

    def keep_last_state(self, last: LastState) -> None:
        """A new last state is kept; an older one is forgotten."""
        state = last.state
        if state.last is None:
            self.budgets.count_last_states(1)
        else:
            self.deadlines.remove(state.last)
        state.last = last
        state.changed()
        self.deadlines.put(last)

    def forget_last_state(self, last: LastState) -> None:
        """A last state is not told any more."""
        self.deadlines.remove(last)
        if last.state.last is last:
            last.state.last = None
            self.budgets.count_last_states(-1)
            last.state.changed()

    # --- subscriptions --------------------------------------------------------------------------------------------

    def subscribed(self, subscription: Subscription) -> None:
        """A new subscription is kept."""
        self.counts.subscriptions.value += 1
        self.budgets.subscribed(subscription.dialog.watcher_uri)
        state, dialog = subscription.state, subscription.dialog
        if not state.subscriptions:
            state.told = state.tail(self.now())
        state.subscriptions[subscription.id] = subscription
        dialog.usages += (subscription,)
        self.dialogs[dialog.to_tag] = dialog
        self.deadlines.put(subscription)

    def unsubscribed(self, subscription: Subscription) -> None:
        """A subscription has ended; it may have a last word to say."""
        self.counts.subscriptions.value -= 1
        self.budgets.unsubscribed(subscription.dialog.watcher_uri)
        state, dialog = subscription.state, subscription.dialog
        self.deadlines.remove(subscription)
        del state.subscriptions[subscription.id]
        dialog.usages = tuple(usage for usage in dialog.usages if usage is not subscription)
        if not dialog.usages:
            del self.dialogs[dialog.to_tag]
            dialog.limit = LAST_CSEQ  # no row can bring this dialog back, so none has to know

    def give_up(self, subscription: Subscription) -> None:
        """The watcher has gone: its subscription ends without a word when the deadlines are next looked at."""
        if subscription.id in subscription.state.subscriptions and not subscription.dead:
            subscription.dead = True
            subscription.expires = 0.0
            self.deadlines.put(subscription)

    def _settled(self, presentity: Presentity) -> None:
        if presentity.wounded:
            self.services.wheel.add(HEAL_AFTER, presentity.heal)
        else:
            self.let_go(presentity)
