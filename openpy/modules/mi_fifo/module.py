"""mi_fifo: its declaration."""

from __future__ import annotations

import os

from openpy.engine.checks import one_line, positive, within
from openpy.engine.fileaccess import access_of
from openpy.engine.module import Counter, Module, ModuleError, Param
from openpy.modules.mi_fifo.fifo import CommandFifo, is_read
from openpy.modules.mi_fifo.requests import Limits
from openpy.modules.mi_fifo.serving import Counts, FifoServing, ReplyForm


class MiFifo(Module):
    """Management commands by a FIFO.

    A request is `:command:reply_fifo`, then a parameter a line, then an empty line. The answer goes to the FIFO
    `reply_fifo` in `reply_dir`, which the one who asks has made and reads:

        mkfifo -m 622 /tmp/answer
        printf ':uptime:answer\\n\\n' > /tmp/openser_fifo && cat /tmp/answer
    """

    name = "mi_fifo"
    can_join = True

    fifo_name = Param(str, "", "Path of the FIFO, mandatory; a file that is there is removed", check=one_line)
    fifo_mode = Param(
        int, 0o660, "Permissions of the FIFO (432 is 0660); 0 is taken for 0600", check=within(0, 0o7777)
    )
    fifo_user: Param[str | int] = Param((str, int), "", "Owner of the FIFO, by name or number")
    fifo_group: Param[str | int] = Param((str, int), "", "Group of the FIFO, by name or number")
    reply_dir = Param(
        str, "/tmp/", "Put in front of the name of a reply FIFO; ends with a slash", check=one_line
    )
    reply_indent = Param(
        str, "\t", 'Indentation of each level of a reply; by default a TAB; `""` for none', check=one_line
    )
    max_line = Param(
        int, 1024, "Bytes of the first line of a request; a longer one is skipped", limit=True, check=positive
    )
    max_parameters = Param(
        int, 8192, "Bytes of the parameters of a request; more: 400", limit=True, check=positive
    )
    max_waiting = Param(
        int, 32, "Commands that wait for something; then no request is read", limit=True, check=positive
    )

    answered = Counter("Requests that were answered", name="fifo_answered_requests")
    skipped = Counter(
        "Requests without an answer: not readable, or with no reply FIFO to write to",
        name="fifo_skipped_requests",
    )

    _fifo: CommandFifo | None = None
    _serving: FifoServing | None = None

    def check(self) -> None:
        """The FIFO has a name, and replies have a place."""
        if not self.fifo_name:
            line = 'modparam("mi_fifo", "fifo_name", "/tmp/openser_fifo")'
            raise ModuleError("no fifo configured", f"add this line: {line}")
        if not self.reply_dir:
            raise ModuleError(
                "mi_fifo: reply_dir is empty", 'write a folder with a slash at its end: "/tmp/"'
            )

    async def start(self) -> None:
        """Make the FIFO and begin to read it."""
        if not os.path.isdir(self.reply_dir):
            raise ModuleError(f"mi_fifo: reply_dir {self.reply_dir} is no folder")
        if not self.reply_dir.endswith("/"):
            self._warn(
                f"reply_dir {self.reply_dir} has no slash at its end: reply FIFOs are looked for beside it"
            )
        if not self.fifo_mode:
            self._warn("fifo_mode 0 is taken for 0600")
        access = access_of("fifo", self.fifo_mode, self.fifo_user, self.fifo_group)
        if is_read(self.fifo_name):
            text = "and gets no commands any more: give each its own fifo_name"
            self._warn(f"another server reads {self.fifo_name}, {text}")
        self._fifo = CommandFifo(self.fifo_name)
        self._fifo.open(access)
        form = ReplyForm(self.reply_dir, self.reply_indent)
        self._serving = FifoServing(
            self.services,
            self._fifo,
            form,
            Counts(self.answered, self.skipped),
            Limits(self.max_line, self.max_parameters),
            self.max_waiting,
        )
        self._serving.start()

    async def drain(self) -> None:
        """Read no more requests."""
        if self._serving is not None:
            self._serving.halt()

    async def stop(self) -> None:
        """Remove the FIFO."""
        if self._serving is not None and self._fifo is not None:
            self._serving.close()
            self._fifo.close()

    def _warn(self, text: str) -> None:
        self.services.log.warning(self.name, text)
