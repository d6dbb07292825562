"""How a SUBSCRIBE is handled (RFC 6665 section 4.2.1)."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING

from openpy.modules.presence import requests
from openpy.modules.presence.authorization import Decision
from openpy.modules.presence.changes import End, Subscribe
from openpy.modules.presence.deciding import Decide, decision_about, set_alarm
from openpy.modules.presence.dialog import (
    ACTIVE,
    LAST_CSEQ,
    REJECTED,
    TERMINATED,
    TIMEOUT,
    Dialog,
    Subscription,
)
from openpy.modules.presence.events import EventPackage
from openpy.modules.presence.presentity import Committed
from openpy.modules.presence.subscriptions import Action, check_in_dialog, decide, no_subscription, usage
from openpy.sip import dialog as sip_dialog
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import aor_of
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.modules.presence.agent import PresenceAgent


MAX_USAGES = 8
"""Subscriptions in one dialog: each request in it writes all their rows."""


Answer = tuple[str, str, Committed | None, Subscription | None]
"""A 2xx: its headers, its To-tag, what it has to wait for (None: nothing), and the fetch to be told after it."""


class _Subscribe:
    """A SUBSCRIBE that is in order: to what, for how long (seconds), from where.

    `is_paid`: its watcher's rate was charged with it.
    """

    __slots__ = ("cseq", "event_id", "flow", "is_paid", "lifetime", "now", "package", "request", "target")

    def __init__(
        self,
        request: Request,
        flow: Flow,
        package: EventPackage,
        event_id: str | None,
        lifetime: int,
        target: str,
        now: float,
        is_paid: bool,
    ) -> None:
        self.request = request
        self.flow = flow
        self.package = package
        self.event_id = event_id
        self.lifetime = lifetime
        self.target = target
        self.cseq = request.cseq.number
        self.now = now
        self.is_paid = is_paid


def subscribe(
    agent: PresenceAgent, request: Request, flow: Flow, resource: str, is_paid: bool = False
) -> Answer:
    """Decide about a SUBSCRIBE; raises RemoteError to refuse it.

    `resource` is the Request-URI as the script left it, which counts where a dialog is made. `is_paid`: it was decided
    before and undone, so its watcher's rate is not charged again.
    """
    requests.check_extensions(request)
    package, event_id = requests.event_package(request, agent.registry)
    lifetime = requests.granted_expires(request, package, agent.settings.limits)
    target = requests.watcher_contact(request).uri_text
    now = agent.now()
    accepted = _Subscribe(request, flow, package, event_id, lifetime, target, now, is_paid)
    to_tag = request.to.tag
    if not to_tag:
        requests.check_accept(request, package)
        _check_event(package, request)
        return _outside_dialog(agent, accepted, resource)
    dialog = check_in_dialog(agent.dialogs.get(to_tag), request.call_id, request.from_.tag, accepted.cseq)
    current = usage(dialog, package, event_id, now)
    if current is None and all(item.ending or item.expires <= now for item in dialog.usages):
        raise no_subscription()
    requests.check_accept(request, package)
    _check_event(package, request)
    return _inside_dialog(agent, accepted, dialog, current)


def _check_event(package: EventPackage, request: Request) -> None:
    if package.evs_subs_handl is not None:
        package.evs_subs_handl(request)


def _outside_dialog(agent: PresenceAgent, accepted: _Subscribe, resource: str) -> Answer:
    request, flow = accepted.request, accepted.flow
    watcher_uri = aor_of(request.from_.uri_text)
    if not accepted.is_paid:
        agent.budgets.spend(watcher_uri, accepted.now)
    presentity = agent.presentity(requests.presentity_uri(resource))
    try:
        dialog = Dialog(
            agent.notifier,
            presentity,
            call_id=request.call_id,
            from_tag=request.from_.tag,
            to_tag=agent.new_tag(),
            watcher_uri=watcher_uri,
            to_uri=aor_of(request.to.uri_text),
            target=accepted.target,
            local_contact=agent.contact(flow, request),
            routes=route_set(request),
            socket=socket_info(flow),
            remote_cseq=accepted.cseq,
        )
        dialog.connection = _connection(flow)
        return _begin(agent, accepted, dialog)
    except RemoteError:
        agent.let_go(presentity)
        raise


def _inside_dialog(
    agent: PresenceAgent, accepted: _Subscribe, dialog: Dialog, current: Subscription | None
) -> Answer:
    ends = current is not None and decide(current, accepted.lifetime) is Action.END
    if not ends and not accepted.is_paid:
        agent.budgets.spend(dialog.watcher_uri, accepted.now)
    if current is None:
        return _begin(agent, accepted, dialog)
    if not ends:
        return _keep(agent, accepted, current)
    current.news = None
    committed = dialog.presentity.submit(End(agent, (), (current,), remote_cseq=accepted.cseq))
    return _headers(agent, accepted, dialog), dialog.to_tag, committed, None


def _begin(agent: PresenceAgent, accepted: _Subscribe, dialog: Dialog) -> Answer:
    """A new subscription, or a fetch, in a dialog that may be new as well."""
    presentity = dialog.presentity
    package = accepted.package
    guarded = package.owner_only or (package.type == "winfo" and not agent.settings.open_winfo)
    if guarded and presentity.uri != dialog.watcher_uri:
        raise RemoteError(403, "Forbidden")
    state = presentity.event(package)
    expires = accepted.now + accepted.lifetime
    subscription = Subscription(dialog, state, accepted.event_id, 0, expires)
    decision = None
    if state.access is not None:
        verdict = state.access.verdict(dialog.watcher_uri, accepted.now)
        subscription.status, subscription.reason = verdict.status, verdict.reason
        decision = decision_about(agent, state.access, subscription, verdict)
        set_alarm(agent, state.access, verdict)
    if subscription.status != TERMINATED and decide(None, accepted.lifetime) is Action.CREATE:
        if len(dialog.usages) >= MAX_USAGES:
            raise RemoteError(403, "Too many subscriptions in one dialog")
        agent.budgets.check_subscription(dialog.watcher_uri, state)
        subscription.id = agent.store.subscription_id()
        return _keep(agent, accepted, subscription, decision)
    return _tell_once(agent, accepted, subscription, decision)


def _tell_once(
    agent: PresenceAgent, accepted: _Subscribe, fetch: Subscription, decision: Decision | None
) -> Answer:
    """What is kept nowhere: a fetch, or the subscription of somebody who is rejected."""
    dialog = fetch.dialog
    presentity = dialog.presentity
    rejected = fetch.status == TERMINATED
    fetch.finish(REJECTED if rejected else TIMEOUT, with_body=fetch.status == ACTIVE)
    committed = None
    access = fetch.state.access
    if access is not None and decision is not None:
        committed = presentity.submit(Decide(agent, access, decision))
    dialog.see(accepted.cseq)
    if not dialog.usages:
        dialog.limit = LAST_CSEQ
        agent.let_go(presentity)
    return _headers(agent, accepted, dialog), dialog.to_tag, committed, fetch


def _keep(
    agent: PresenceAgent, accepted: _Subscribe, subscription: Subscription, decision: Decision | None = None
) -> Answer:
    """Commit a subscription, new or refreshed."""
    dialog = subscription.dialog
    change = Subscribe(
        agent,
        subscription,
        expires=accepted.now + accepted.lifetime,
        remote_cseq=accepted.cseq,
        target=accepted.target,
        connection=_connection(accepted.flow),
        decision=decision,
    )
    return _headers(agent, accepted, dialog), dialog.to_tag, dialog.presentity.submit(change), None


def _headers(agent: PresenceAgent, accepted: _Subscribe, dialog: Dialog) -> str:
    events = agent.registry.allow_events()
    return f"Expires: {accepted.lifetime}\r\nContact: <{dialog.local_contact}>\r\nAllow-Events: {events}\r\n"


def route_set(request: Request) -> str:
    """The route set, as the database keeps it; raises RemoteError (400) for one that cannot be read."""
    if not request.has("Record-Route"):
        return ""
    return ",".join(sip_dialog.Dialog.from_request(request, "").route_set)


def socket_info(flow: Flow) -> str:
    """The socket that a request came by, as the database keeps it."""
    host = f"[{flow.local_host}]" if ":" in flow.local_host else flow.local_host
    return intern(f"{flow.transport}:{host}:{flow.local_port}")  # one string for all dialogs


def _connection(flow: Flow) -> tuple[str, str, int] | None:
    return (flow.transport, flow.host, flow.port) if flow.reliable else None
