"""Calls and messages through tm in any order of events, and what must hold after each (RFC 3261 16 and 17, RFC 6026).

One server serves all plays: what its script does is said by headers of each request. A play is a `Plan` and a list of
steps; `Play` performs them, looks at all that is sent, and at the end lets everything come to its end.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from openpy.engine.programs import Ended, Fate
from openpy.engine.run import Run
from openpy.engine.waiting import Stepper, Wait
from openpy.modules.tm.branch import ClientBranch
from openpy.modules.tm.context import ResponseContext
from openpy.modules.tm.turns import Turns
from openpy.transaction.client import ClientTransaction
from openpy.transaction.server import ServerTransaction
from openpy.transaction.wheel import Timer
from tests.engine.kit import MODULES, Bench, KeptFlow, Sent, answer, request

KINDS = (ServerTransaction, ClientTransaction, ResponseContext, ClientBranch, Turns, Run, Stepper, Timer)
"""Of these nothing may be left."""

TARGETS = {
    "udp": "sip:{0}@192.0.2.{1};transport=udp",
    "tcp": "sip:{0}@192.0.2.{1};transport=tcp",
    "name": "sip:{0}@two{1}.example:5060;transport=udp",
    "tcpname": "sip:{0}@two{1}.example:5060;transport=tcp",
    "slow": "sip:{0}@slow{1}.example:5060;transport=udp",
    "slowtcp": "sip:{0}@slow{1}.example:5060;transport=tcp",
    "nowhere": "sip:{0}@nowhere.example:5060",
}
OURS = (408, 476, 477, 480, 487, 500, 502)
"""What this server answers itself."""
FR, FR_INV = 5, 9
"""Seconds of fr_timer and fr_inv_timer."""
PATIENCE = 32.0
"""64*T1."""
FORKED = 3
"""Targets of one round at most."""

WAIT = 'exec_msg("true");'
ROUND = (
    "$ru = $hdr(X-{0}1); if ($hdr(X-{0}3) != null) {{ $ru = $hdr(X-{0}3); append_branch(); }} "
    "if ($hdr(X-{0}2) != null) {{ $ru = $hdr(X-{0}2); append_branch(); }} $ru = $hdr(X-{0}1); "
)
SERIAL = "append_branch(); t_relay();"
SCRIPT = (
    "".join(f'loadmodule "{name}.so"\n' for name in (*MODULES, "exec", "cfgutils"))
    + f"""
debug=4
alias=udp:127.0.0.1:5060
modparam("tm", "fr_timer", {FR})
modparam("tm", "fr_inv_timer", {FR_INV})
route {{
    if (is_method("ACK|CANCEL")) {{ t_relay(); exit; }}
    if ($hdr(X-Before) == "wait") {WAIT}
    if ($hdr(X-Before) == "newtran") t_newtran();
    if ($hdr(X-Reply) == "plain") t_on_reply("plain");
    if ($hdr(X-Reply) == "wait") t_on_reply("wait");
    if ($hdr(X-Reply) == "drop") t_on_reply("drop");
    if ($hdr(X-Branch) == "plain") t_on_branch("plain");
    if ($hdr(X-Branch) == "wait") t_on_branch("wait");
    if ($hdr(X-Failure) != null) t_on_failure("first");
    {ROUND.format("A")}
    t_relay();
    if ($hdr(X-After) == "reply") t_reply("480", "Not now");
    if ($hdr(X-After) == "wait") {{ {WAIT} t_reply("480", "Not now"); }}
    if ($hdr(X-After) == "later") {WAIT}
    if ($hdr(X-After) =~ "again|later" && $hdr(X-B1) != null) {{ $ru = $hdr(X-B1); t_relay(); }}
}}
onreply_route[plain] {{ setflag(1); }}
onreply_route[wait] {{ sleep(3); }}
onreply_route[drop] {{ drop; }}
branch_route[plain] {{ append_hf("X-Seen: yes\\r\\n"); }}
branch_route[wait] {{ sleep(3); }}
failure_route[first] {{
    if ($hdr(X-Failure) == "reply") {{ t_reply("480", "Not now"); exit; }}
    if ($hdr(X-B1) == null) exit;
    if ($hdr(X-Failure) == "wait") {WAIT}
    t_on_failure("second");
    {ROUND.format("B")} {SERIAL}
}}
failure_route[second] {{
    if ($hdr(X-C1) == null) exit;
    if ($hdr(X-Failure) == "wait") {WAIT}
    {ROUND.format("C")} {SERIAL}
    if ($hdr(X-Failure) == "both") t_reply("480", "Not now");
}}
"""
)


class Plan(NamedTuple):
    """A request, and what the script does with it; `rounds` are kinds of targets."""

    method: str = "INVITE"
    transport: str = "udp"
    rounds: tuple[tuple[str, ...], ...] = (("udp",),)
    before: str = ""
    after: str = ""
    reply: str = ""
    branch: str = ""
    failure: str = ""

    @property
    def has_waits(self) -> bool:
        """Whether a route may wait, so that what is due happens later."""
        return "wait" in (self.before, self.after, self.reply, self.branch, self.failure)


Step = tuple[object, ...]
"""The name of a method of Play, and its arguments."""


@dataclass
class Seen:
    """One request that went to a target."""

    sent: Sent
    branch: str
    provisional: bool = False
    heard_at: float = 0.0
    """When the last provisional reply came."""
    final: bytes = b""
    cancels: set[bytes] = field(default_factory=set)
    acks: set[bytes] = field(default_factory=set)
    is_unwanted: bool = False
    """Whether it is to be taken back as soon as it may be."""
    is_late: bool = False
    """Whether the final reply came when the server transaction was over."""
    is_lost: bool = False
    is_over: bool = False
    """Whether its client transaction was gone when the last reply came."""


class LateBench(Bench):
    """A server for all plays."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, script=SCRIPT, allow_exec=True)
        for number in range(100):
            self.server.hosts[f"two{number}.example"] = (f"192.0.2.{100 + number}", f"192.0.2.{150 + number}")
        self.lookups: list[Wait[tuple[str, ...]]] = []
        self.resolve_at_once = self.server.resolve
        self.server.resolve = self.resolve  # type: ignore[method-assign]  # some answers come when the test says so
        self.timers = len(self.server.wheel)
        self.plays = 0
        gc.collect()
        gc.disable()

    def resolve(self, host: str) -> Wait[tuple[str, ...]]:
        if not host.startswith("slow"):
            return self.resolve_at_once(host)
        self.lookups.append(Wait())
        return self.lookups[-1]

    def forget(self) -> None:
        """Keep nothing of what was."""
        for kept in (
            self.sent,
            self.log,
            self.levels,
            self.lookups,
            self.server.connecting,
            self.server.programs,
        ):
            kept.clear()

    def close(self) -> None:
        gc.unfreeze()
        gc.enable()
        super().close()


class Play:
    """One request on its way."""

    def __init__(self, bench: LateBench, plan: Plan) -> None:
        self.bench = bench
        self.plan = plan
        bench.plays += 1
        self.name = f"play{bench.plays}"
        bench.forget()
        self.caller = bench.phone(plan.transport)
        self.seen: dict[str, Seen] = {}
        self.finals: list[int] = []
        """Statuses of different final replies that the caller got."""
        self.up: dict[bytes, int] = {}
        self.acked = 0
        self.cancels = 0
        self.cancelled = False
        self.owes_cancels = False
        self.looked = 0
        self.began = bench.world.now
        self.failure_at = 0.0
        self.receive(self.request())

    # --- the request ----------------------------------------------------------------------------------------------

    @property
    def is_invite(self) -> bool:
        return self.plan.method == "INVITE"

    @property
    def is_known(self) -> bool:
        """Whether it is an INVITE whose server transaction is there."""
        known = self.bench.server.transactions._servers.transactions.values()
        return any(transaction.is_invite for transaction in known)

    @property
    def is_refused(self) -> bool:
        """Whether a 6xx came."""
        return any(seen.final[8:9] == b"6" for seen in self.seen.values())

    def request(self, method: str = "", to_tag: str = "", branch: str = "") -> bytes:
        plan = self.plan
        headers = [
            f"X-{letter}{number}: {TARGETS[kind].format(self.name, 10 * turn + number)}"
            for turn, (letter, kinds) in enumerate(zip("ABC", plan.rounds, strict=False), 1)
            for number, kind in enumerate(kinds, 1)
        ]
        headers += [
            f"X-{name}: {value}"
            for name, value in zip(("Before", "After", "Reply", "Branch", "Failure"), plan[3:], strict=True)
            if value
        ]
        via = f"SIP/2.0/{plan.transport.upper()} 192.0.2.1:5066;branch=z9hG4bK{branch or self.name}"
        uri = "sip:bob@192.0.2.99"
        return request(
            method or plan.method, uri, *headers, via=via, call_id=self.name, to_tag=to_tag, cseq=7
        )

    def receive(self, data: bytes, flow: KeptFlow | None = None) -> list[Sent]:
        sent = self.bench.receive(data, flow or self.caller)
        self.look()
        return sent

    # --- steps ----------------------------------------------------------------------------------------------------

    def pick(self, number: int) -> Seen | None:
        found = list(self.seen.values())
        return found[number % len(found)] if found else None

    def reply(self, number: int, status: int, tag: str = "b") -> None:
        """A target answers."""
        seen = self.pick(number)
        if seen is not None and not seen.is_lost:
            self.answered(seen, status, answer(seen.sent, status, to_tag=f"{tag}{seen.sent.flow.host[-3:]}"))

    def bare(self, number: int, status: int) -> None:
        """A target answers, and loses the Vias below ours."""
        seen = self.pick(number)
        if seen is not None and not seen.is_lost:
            head, _, rest = answer(seen.sent, status).rpartition(b"Via: ")
            self.answered(seen, status, head + rest.partition(b"\r\n")[2], is_whole=False)

    def reply_to_cancel(self, number: int, status: int) -> None:
        """A target answers a CANCEL."""
        seen = self.pick(number)
        if seen is not None and seen.cancels and not seen.is_lost:
            sent = Sent(seen.sent.flow, next(iter(seen.cancels)))
            self.receive(answer(sent, status), seen.sent.flow)

    def again(self, number: int) -> None:
        """A target repeats its final reply."""
        seen = self.pick(number)
        if seen is not None and seen.final and not seen.is_lost:
            self.answered(seen, int(seen.final[8:11]), seen.final)

    def answered(self, seen: Seen, status: int, data: bytes, *, is_whole: bool = True) -> None:
        clients = self.bench.server.transactions._clients.transactions
        client = clients.get(f"{seen.branch} {self.plan.method}")
        is_new = client is not None and not seen.final
        if client is None:
            seen.is_over = True
        if is_new and status < 200:
            seen.provisional = True
            seen.heard_at = self.bench.world.now
        rings = is_new and 100 < status < 200 and self.plan.reply in ("", "plain")
        goes_up = (
            is_whole and rings and not (self.finals or seen.cancels or seen.is_unwanted or self.is_refused)
        )
        concerned = list(self.seen.values())
        is_wanted = not (seen.cancels or seen.is_unwanted)
        before = len(self.bench.sent)
        if is_new and status >= 200:
            seen.final = data
            seen.is_late = self.bench.server.transactions.servers_in_use == 0
        had_acks = len(seen.acks)
        held = seen.is_unwanted and is_new and status < 200 and not seen.cancels
        acks = sum(sent.start.startswith("ACK ") for sent in self.receive(data, seen.sent.flow))
        owes_ack = (
            self.is_invite
            and client is not None
            and status >= 300
            and not seen.final.startswith(b"SIP/2.0 2")
        )
        assert acks == owes_ack, f"{acks} ACKs for a {status}"
        assert len(seen.acks) == (1 if owes_ack else had_acks), "the ACK is one, repeated"
        if held:
            assert seen.cancels, "a CANCEL that was held back goes with the first provisional reply"
        if goes_up and self.is_invite:
            assert any(sent.start.startswith(f"SIP/2.0 {status} ") for sent in self.bench.sent[before:]), (
                "goes up"
            )
        if is_new and is_whole and status >= 600 and is_wanted and self.is_invite and not self.plan.has_waits:
            self.expect_cancels([each for each in concerned if each is not seen])

    def cancel(self) -> None:
        """The caller takes it back."""
        if not self.is_known:
            return  # what nobody knows is a request of its own
        self.cancels += 1
        if not self.finals:
            self.cancelled = True
        sent = self.receive(self.request("CANCEL"))
        assert sent[0].start == "SIP/2.0 200 canceling"
        self.expect_cancels(self.seen.values())

    def repeat(self) -> None:
        """The caller repeats the request, as long as it may."""
        may = self.bench.world.now - self.began < PATIENCE and (not self.finals or not self.is_invite)
        if may and self.plan.transport == "udp":
            before = len(self.seen)
            programs = len(self.bench.server.programs)
            self.receive(self.request())
            assert len(self.seen) == before, "a repetition was forwarded"
            assert len(self.bench.server.programs) == programs, "a repetition was routed"

    def ack(self) -> None:
        """The caller acknowledges the last final reply."""
        if not self.is_known or not self.finals:
            return
        if self.finals[0] >= 300:
            to_tag = next(data for data, status in self.up.items() if status == self.finals[0])
            tag = Sent(self.caller, to_tag).get("To").partition(";tag=")[2]
            assert self.receive(self.request("ACK", tag)) == [], "an ACK to a failure goes no further"
        else:
            self.acked += 1
            self.receive(self.request("ACK", "b1", f"ack{self.acked}{self.name}"))

    def lose(self, number: int) -> None:
        """A connection is lost."""
        seen = self.pick(number)
        if seen is not None and seen.sent.flow.reliable:
            for each in self.seen.values():
                each.is_lost = each.is_lost or each.sent.flow is seen.sent.flow
            self.bench.server.transactions.flow_failed(seen.sent.flow)
            self.look()

    def connect(self, number: int, comes_up: bool) -> None:
        """A connection comes up, or does not."""
        waits = [pair for pair in self.bench.server.connecting if not pair[1].done]
        if waits:
            flow, wait = waits[number % len(waits)]
            wait.resolve(flow if comes_up else None)
            self.look()

    def find(self, number: int, is_there: bool) -> None:
        """The addresses of a name are found, or there are none."""
        waits = [wait for wait in self.bench.lookups if not wait.done]
        if waits:
            waits[number % len(waits)].resolve(("192.0.2.201", "192.0.2.202") if is_there else ())
            self.look()

    def go_on(self, number: int) -> None:
        """A route that waits goes on."""
        waits = [wait for _, wait in self.bench.server.programs if not wait.done]
        if waits:
            waits[number % len(waits)].resolve(Ended(Fate.EXITED, 0, b"", b""))
            self.look()

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.bench.run_for(seconds)
        self.look()

    # --- what must hold after each ----------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at all that was sent since the last time."""
        sent, self.looked = self.bench.sent[self.looked :], len(self.bench.sent)
        for each in sent:
            if each.data.startswith(b"SIP/2.0 "):
                self.look_at_reply(each)
            else:
                self.look_at_request(each)
        if self.owes_cancels:
            self.owes_cancels = False
            self.expect_cancels(self.seen.values())
        errors = [line for line in self.bench.log if line.startswith(("ERROR", "CRITICAL", "ALERT"))]
        assert not errors, errors

    def look_at_reply(self, sent: Sent) -> None:
        status = int(sent.data[8:11])
        assert (sent.flow.host, sent.flow.port) == (self.caller.host, self.caller.port)
        (via,) = sent.all("Via")
        assert "192.0.2.1:5066" in via
        if sent.get("CSeq").endswith("CANCEL"):
            return
        if sent.data in self.up:
            assert status >= 200 or not self.finals, "a provisional reply after a final one"
            return
        self.up[sent.data] = status
        if status < 200:
            assert not self.finals, f"a {status} after {self.finals}"
            assert self.is_invite or status == 100, f"{status} (RFC 4320 4.1)"
            return
        if status >= 300 or not self.is_invite:
            assert not self.finals, f"a {status} after {self.finals}"
        self.finals.append(status)
        self.owes_cancels = self.owes_cancels or status < 300

    def look_at_request(self, sent: Sent) -> None:
        method = sent.start.split(" ")[0]
        vias = sent.all("Via")
        branch = vias[0].partition(";branch=")[2]
        seen = self.seen.get(branch)
        if method == self.plan.method:
            if seen is None:
                assert not (self.is_invite and (self.finals or self.cancelled)), "a branch after the end"
                assert len(vias) == 2
                self.seen[branch] = Seen(sent, branch)
            else:
                assert sent.data == seen.sent.data
                assert not seen.final, "repeated after the final reply"
                assert not seen.sent.flow.reliable, "repeated by a stream"
                assert not (self.is_invite and seen.provisional), "repeated after a provisional reply"
            return
        if method == "ACK" and seen is None:
            assert any(each < 300 for each in self.finals), "an ACK to nothing"
            return
        assert seen is not None, sent.start
        assert len(vias) == 1
        assert sent.flow is seen.sent.flow
        assert sent.start.split(" ")[1] == seen.sent.start.split(" ")[1]
        if method == "CANCEL":
            self.look_at_cancel(seen, sent)
        else:
            assert method == "ACK"
            assert seen.final[8:9] > b"2"
            assert sent.get("To") == Sent(sent.flow, seen.final).get("To")
            seen.acks.add(sent.data)

    def look_at_cancel(self, seen: Seen, sent: Sent) -> None:
        if sent.data in seen.cancels:
            return  # until it is answered
        assert not seen.cancels, "one CANCEL"
        seen.cancels.add(sent.data)
        assert seen.provisional, "a CANCEL before the first provisional reply"
        assert not seen.final, "a CANCEL behind the final reply"
        has_rung = self.bench.world.now - seen.heard_at > FR_INV - 0.2
        assert self.finals or self.cancelled or has_rung or self.is_refused, "a CANCEL for nothing"

    def expect_cancels(self, concerned: Iterable[Seen]) -> None:
        """Of these every one that is under way is taken back by now."""
        for seen in concerned if self.is_invite else ():
            if seen.final or seen.is_lost or seen.is_over:
                continue
            seen.is_unwanted = True
            assert seen.cancels or not seen.provisional, f"no CANCEL for {seen.sent.to}"

    # --- the end ----------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Let everything come to its end, and look what is left."""
        for _ in range(60):
            self.go_on(0)
            self.connect(0, False)
            self.find(0, False)
            if self._all_done():
                self.wait(FR)
            if self._all_done() and self.bench.server.transactions.unanswered() == 0:
                break
        self.wait(4 * PATIENCE)
        assert self._all_done()
        self.look_at_finals()
        self.look_for_remains()

    def _all_done(self) -> bool:
        server = self.bench.server
        waits: list[Wait[object]] = [wait for _, wait in (*server.connecting, *server.programs)]  # type: ignore[misc]
        return all(wait.done for wait in waits) and all(wait.done for wait in self.bench.lookups)

    def look_at_finals(self) -> None:
        statuses = [int(seen.final[8:11]) for seen in self.seen.values() if seen.final]
        if self.is_invite:
            assert self.finals, "the caller hears nothing"
            succeeded = sum(200 <= status < 300 for status in statuses)
            assert sum(status < 300 for status in self.finals) >= succeeded, "each 2xx goes up"
            assert self.finals[0] in {*statuses, *OURS}, self.finals
        elif not self.finals:
            last = {seen.sent.start: seen for seen in self.seen.values()}  # of the addresses of a name
            answered = [seen for seen in last.values() if seen.final and not seen.is_late]
            assert not answered, f"the sender hears nothing of {statuses}"

    def look_for_remains(self) -> None:
        layer = self.bench.server.transactions
        assert (layer.servers_in_use, layer.clients_in_use) == (0, 0)
        assert self.bench.value("inuse_transactions", "tm") == 0
        assert len(self.bench.server.wheel) == self.bench.timers
        self.bench.forget()
        assert not remains(), remains()


def remains() -> Counter[str]:
    """What lives of what a transaction is made of, whether the collector would find it or not."""
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in KINDS)


def play(bench: LateBench, plan: Plan, steps: list[Step]) -> Play:
    """Perform a play to its end."""
    gc.freeze()  # what lives already is not looked at
    playing = Play(bench, plan)
    for name, *arguments in steps:
        getattr(playing, str(name))(*arguments)
    playing.end()
    return playing
