"""baresip as a phone without a screen: commands and events are JSON in netstrings, by its module ctrl_tcp."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tests.interop.device import PATIENCE, Account, Device, Happening
from tests.interop.ports import ports_under

BARESIP = shutil.which("baresip")

CONFIG = """\
module_path {modules}
module g711.so
module ausine.so
module aubridge.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:0
sip_listen 127.0.0.1:0
sip_cafile {folder}/ca.pem
sip_certificate {folder}/phone.pem
net_interface 127.0.0.1
audio_source ausine,400
audio_player aubridge,heard
audio_alert aubridge,alert
ausrc_srate 48000
ausrc_channels 2
audio_path /nonexistent
"""

MODULES = "/usr/lib/baresip/modules"

HAPPENINGS = {
    "REGISTER_OK": Happening.REGISTERED,
    "REGISTER_FAIL": Happening.REFUSED,
    "CALL_INCOMING": Happening.INCOMING,
    "CALL_RINGING": Happening.RINGING,
    "CALL_PROGRESS": Happening.RINGING,
    "CALL_ESTABLISHED": Happening.ESTABLISHED,
    "CALL_CLOSED": Happening.CLOSED,
}


class Baresip(Device):
    """`folder` has the certificate authority that it trusts, as ca.pem."""

    def __init__(self, account: Account, folder: Path) -> None:
        self._home = folder / f"baresip-{account.name}"
        self._home.mkdir()
        (self._home / "config").write_text(CONFIG.format(modules=MODULES, folder=folder))
        for empty in ("accounts", "contacts"):
            (self._home / empty).touch()
        super().__init__(account, [str(BARESIP), "-f", str(self._home)], folder)

    def register(self) -> None:
        whom = self.account.uri_of(self.account.name)
        self._command("uanew", f"<{whom}>;auth_pass={self.account.password};regint=600;answermode=manual")

    def dial(self, name: str) -> None:
        self._command("dial", self.account.uri_of(name))

    def answer(self) -> None:
        self._command("accept")

    def hang_up(self) -> None:
        self._command("hangup")

    def quit(self) -> None:
        if self.process.poll() is None:
            self._command("quit")

    def _command(self, name: str, parameters: str = "") -> None:
        text = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def _happenings(self) -> Iterator[tuple[Happening, str]]:
        with self._control, self._control.makefile("rb") as said:
            while length := _length(said):
                event = json.loads(said.read(length))
                said.read(1)  # the comma
                if event.get("type") in HAPPENINGS:
                    yield HAPPENINGS[event["type"]], event.get("param", "")

    # --- the port of its control, which the system chose --------------------------------------------------------

    def _reach(self) -> None:
        """Connect to its control, which is the last thing that it listens for."""
        deadline = time.monotonic() + PATIENCE
        while "baresip is ready" not in self._told():
            assert time.monotonic() < deadline, self._told()
            assert self.process.poll() is None, self._told()
            time.sleep(0.02)
        ports = ports_under(self.process.pid, "tcp")
        self._control = socket.create_connection(("127.0.0.1", ports[-1]))


def _length(said: BinaryIO) -> int:
    """The length of the next netstring; 0: there is none any more."""
    digits = b""
    while (read := said.read(1)).isdigit():
        digits += read
    return int(digits or b"0")
