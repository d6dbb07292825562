"""mi_datagram: its declaration."""

from __future__ import annotations

from openpy.engine.checks import one_line, positive, within
from openpy.engine.fileaccess import access_of
from openpy.engine.module import Counter, Module, ModuleError, Param
from openpy.modules.mi_datagram.serving import Counts, DatagramServing
from openpy.modules.mi_datagram.sockets import DatagramSocket, socket_address


def _socket_name(text: str) -> str:
    if text:
        socket_address(text)
    return text


class MiDatagram(Module):
    """Management commands by datagrams, over UDP or a socket in the file system.

    A request is `:command:`, then a parameter a line. The answer goes to where it came from, so who asks by a file has
    a file too:

        printf ':get_statistics:\\ncore:\\n' | socat - UDP:127.0.0.1:8080
        printf ':uptime:\\n' | socat - UNIX-SENDTO:/tmp/openser.sock,bind=/tmp/answer.sock

    Whoever reaches the socket may give any command: a UDP socket belongs on 127.0.0.1, or behind a firewall.
    """

    name = "mi_datagram"
    can_join = True

    socket_name = Param(
        str,
        "",
        "Mandatory: `udp:host:port`, or the path of a socket; a file that is there is removed",
        check=_socket_name,
    )
    children_count = Param(int, 1, "Of 1.3; without effect: there is one process", check=positive)
    socket_timeout = Param(
        int, 2000, "Of 1.3; without effect: no reply is waited for to leave", check=positive
    )
    unix_socket_mode = Param(
        int, 0o660, "Permissions of the file (432 is 0660); 0 is taken for 0600", check=within(0, 0o7777)
    )
    unix_socket_user: Param[str | int] = Param((str, int), "", "Owner of the file, by name or number")
    unix_socket_group: Param[str | int] = Param((str, int), "", "Group of the file, by name or number")
    reply_indent = Param(
        str, "\t", 'Indentation of each level of a reply; by default a TAB; `""` for none', check=one_line
    )
    max_waiting = Param(
        int, 32, "Commands that wait for something; then no request is read", check=positive, limit=True
    )

    answered = Counter("Requests that were answered", name="datagram_answered_requests")
    unanswered = Counter(
        "Requests without an answer: from nobody, to nobody, or not fit to be sent",
        name="datagram_unanswered_requests",
    )

    _socket: DatagramSocket | None = None
    _serving: DatagramServing | None = None

    def check(self) -> None:
        """There is a socket to listen on."""
        if not self.socket_name:
            line = 'modparam("mi_datagram", "socket_name", "udp:127.0.0.1:8080")'
            raise ModuleError("no DATAGRAM_ socket configured", f"add this line: {line}")

    async def start(self) -> None:
        """Open the socket and begin to read."""
        parameters = self.unix_socket_mode, self.unix_socket_user, self.unix_socket_group
        self._socket = DatagramSocket(socket_address(self.socket_name))
        self._socket.open(access_of("unix_socket", *parameters))
        if not self.unix_socket_mode:
            self.services.log.warning(self.name, "unix_socket_mode 0 is taken for 0600")
        if self._socket.is_for_others:
            text = f"{self.socket_name} takes commands from whoever reaches it"
            self.services.log.warning(self.name, text)
        counts = Counts(self.answered, self.unanswered)
        self._serving = DatagramServing(
            self.services, self._socket, self.reply_indent, counts, self.max_waiting
        )
        self._serving.start()

    async def drain(self) -> None:
        """Read no more requests."""
        if self._serving is not None:
            self._serving.halt()

    async def stop(self) -> None:
        """Close the socket, and remove its file."""
        if self._serving is not None:
            self._serving.close()
        if self._socket is not None:
            self._socket.close()
