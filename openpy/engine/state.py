"""What scripts change for one message beside its text: its destination set, flags, AVPs, and how it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpy.sip.digest import Credentials
from openpy.sip.edits import Edits
from openpy.sip.message import Response
from openpy.transaction.flow import Flow

if TYPE_CHECKING:
    from openpy.engine.blacklists import Blacklist
    from openpy.engine.run import Run
    from openpy.engine.sockets import Endpoint
    from openpy.script.compiler import CompiledRoute
    from openpy.script.values import Value

LateHeader = Callable[["Run", Flow], str]
"""Header lines of a request that depend on the way that it leaves by."""

ReplyChange = Callable[[Response, Edits], None]
"""Changes each reply to a request before it goes up."""


@dataclass(slots=True)
class Branch:
    """One appended branch of the destination set. `q` is in thousandths, -1 where unset; `path` is that of `State`."""

    uri: str
    destination_uri: str = ""
    q: int = -1
    flags: int = 0
    send_socket: Endpoint | None = None
    path: str = ""


class State:
    """What scripts change for one message, beside its text: kept by the transaction once there is one."""

    __slots__ = (
        "advertised_host",
        "advertised_port",
        "avps",
        "blacklists",
        "branch_flags",
        "branch_number",
        "branches",
        "credentials",
        "destination_uri",
        "flags",
        "late_headers",
        "local_rport",
        "notes",
        "on_branch",
        "on_failure",
        "on_reply",
        "path",
        "q",
        "reply_changes",
        "reply_headers",
        "send_socket",
        "uri",
    )

    def __init__(self, *, flags: int = 0, branch_flags: int = 0, send_socket: Endpoint | None = None) -> None:
        self.flags = flags
        self.branch_flags = branch_flags
        self.uri: str | None = None  # the Request-URI as rewritten
        self.destination_uri = ""
        self.q = -1  # of the Request-URI, as in a branch
        self.path = ""  # the Path by which its contact was registered, which becomes a Route (RFC 3327)
        self.branches: list[Branch] = []
        self.send_socket = send_socket  # force_send_socket
        self.advertised_host = ""
        self.advertised_port = 0
        self.local_rport = False  # our Via asks for the port (RFC 3581)
        self.blacklists: tuple[Blacklist, ...] = ()  # in force
        self.credentials: Credentials | None = None  # those that an authentication module found right
        self.avps: dict[str | int, list[Value]] = {}  # newest value first
        self.reply_headers = ""  # append_to_reply
        self.on_failure: CompiledRoute | None = None  # the routes that t_on_failure, _reply, _branch name
        self.on_reply: CompiledRoute | None = None
        self.on_branch: CompiledRoute | None = None
        self.late_headers: tuple[LateHeader, ...] = ()  # behind our Via, above all others
        self.reply_changes: tuple[ReplyChange, ...] = ()  # by the transaction, of what it passes up
        self.notes: dict[str, Any] = {}  # what modules remember about the message, by names of theirs
        self.branch_number = 0  # in a branch_route: which branch it is about, from 1

    def first_branch(self, uri: str) -> Branch:
        """The Request-URI, with all that belongs to it, as a branch."""
        return Branch(uri, self.destination_uri, self.q, self.branch_flags, self.send_socket, self.path)

    def of_branch(self, target: Branch) -> State:
        """That of a branch to a target, which has none of its own yet; it shares AVPs and notes."""
        own = State(flags=self.flags, branch_flags=target.flags, send_socket=target.send_socket)
        own.uri = target.uri
        own.destination_uri = target.destination_uri
        own.q = target.q
        own.path = target.path
        own.advertised_host = self.advertised_host
        own.advertised_port = self.advertised_port
        own.local_rport = self.local_rport
        own.blacklists = self.blacklists
        own.credentials = self.credentials
        own.avps = self.avps
        own.reply_headers = self.reply_headers
        own.on_failure = self.on_failure
        own.on_reply = self.on_reply
        own.on_branch = self.on_branch
        own.late_headers = self.late_headers
        own.reply_changes = self.reply_changes
        own.notes = self.notes
        return own

    def take_flags(self, own: State, before: int) -> None:
        """The message flags that a route has changed in a state of its own, which had `before` when it began."""
        changed = own.flags ^ before
        self.flags = self.flags & ~changed | own.flags & changed
