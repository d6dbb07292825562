"""exec: programs that a script runs, and what becomes of their output."""

from __future__ import annotations

from typing import Annotated

from openpy.engine.checks import not_negative, positive, switch
from openpy.engine.corebranches import MAXIMUM_BRANCHES
from openpy.engine.log import INFO, WARNING
from openpy.engine.module import (
    Avps,
    Counter,
    Effect,
    Module,
    ModuleError,
    Param,
    RouteKind,
    script_function,
)
from openpy.engine.programs import Ended, Fate, Program
from openpy.engine.run import Overloaded, Run
from openpy.engine.state import Branch
from openpy.modules.exec.command import Command, CommandKind
from openpy.modules.exec.variables import safe, variables_of
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})
URI = "OPENPY_URI"

ShellCommand = Annotated[Command, CommandKind()]


class Exec(Module):
    """Runs programs. Only where whoever starts the server allows it: `openpy --allow-exec`.

    A command is read by /bin/sh. Pseudo-variables in it are expanded, each to one word or a part of one, and whatever
    a message has put into them is data: no quote, semicolon or backquote in it ends or begins a command. (A program
    may still take a value that begins with `-` for an option, and a command that itself evaluates text, with `eval` or
    `sh -c`, undoes the protection.) What the shell shall expand is written with two dollar signs: `$$HOME`.

        exec_msg("logger -t sip \\"$rm from $fu\\"");
        if (exec_avp("/usr/local/bin/balance '$fU'", "$avp(s:balance)")) { xlog("$avp(s:balance)"); }

    With `setvars` the environment describes the request: `SIP_HF_FROM` and all other headers, `SIP_RURI`,
    `SIP_USER`, `SIP_ORURI`, `SIP_OUSER`, `SIP_SRCIP`, `SIP_TID` (the transaction), `SIP_DID` (the To tag).

    A route waits for its program, other messages do not; retransmissions are absorbed meanwhile. The functions are 1 if
    the program exits with status 0; they are -1 if it does not, cannot be started, takes longer or writes more than
    it may (then it is killed, with all that it started), or if too many run already. The log says why.
    """

    name = "exec"
    can_join = True

    setvars = Param(int, 1, "0: the environment says nothing about the request", reload=True, check=switch)
    time_to_kill = Param(
        int,
        10,
        "Seconds that a program may take; 0: any time, as in 1.3",
        check=not_negative,
        limit=True,
        reload=True,
    )
    max_output = Param(
        int,
        65536,
        "Octets that a program may write; more: it is killed",
        check=positive,
        limit=True,
        reload=True,
    )
    max_processes = Param(
        int, 32, "Programs that run at a time; no more is started", check=positive, limit=True, reload=True
    )

    started = Counter("Programs that were started")
    refused = Counter("Programs that were not, because max_processes were running")
    killed = Counter("Programs that took too long or wrote too much")

    _running = 0

    def check(self) -> None:
        """Programs are allowed."""
        if not self.services.allow_exec:
            raise ModuleError(
                "exec lets this script run programs, and openpy was started without --allow-exec",
                "if that is meant, start (and check) it with --allow-exec; else remove this line",
            )

    # --- functions --------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def exec_dset(self, run: Run, command: ShellCommand) -> int:
        """The lines of output are URIs: the first becomes the Request-URI, the others are appended as branches.

        The command gets the Request-URI as one more argument. -1, and nothing is changed, if there is no line, or one
        is no URI.
        """
        lines = await self._lines(run, command, f'{command.shell} "${{{URI}}}"', {URI: run.uri})
        if not lines:
            return -1
        for line in lines:
            if not _is_uri(line):
                self._say(WARNING, command, f'wrote "{line}", which is no URI')
                return -1
        first, *others = lines
        state = run.state
        state.uri = first
        room = MAXIMUM_BRANCHES - 1 - len(state.branches)
        if len(others) > room:
            self._say(WARNING, command, f"wrote {len(others)} more URIs, and there is room for {room}")
        state.branches.extend(Branch(uri) for uri in others[:room])
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def exec_msg(self, run: Run, command: ShellCommand) -> int:
        """The message, as it was received, is standard input; what the program writes goes nowhere."""
        ended = await self._run(run, command, Program(command.shell, {}, input=run.message.raw))
        return 1 if ended is not None and ended.succeeded else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def exec_avp(self, run: Run, command: ShellCommand, avps: Avps = ()) -> int:
        """The lines of output become AVPs: those that are named, one a line; by default `$avp(i:1)`, `$avp(i:2)` ..."""
        lines = await self._lines(run, command, command.shell, {})
        if lines is None:
            return -1
        if not avps:
            for number, line in enumerate(lines, 1):
                run.state.avps.setdefault(number, []).insert(0, line)
        for assign, line in zip(avps, lines, strict=False):
            assign(run, line, "=")
        return 1

    # --- running ----------------------------------------------------------------------------------------------

    async def _lines(
        self, run: Run, command: Command, shell: str, environment: dict[str, str]
    ) -> list[str] | None:
        """The lines of output that are not empty; None where the program failed."""
        ended = await self._run(run, command, Program(shell, environment, room=self.max_output))
        if ended is None or not ended.succeeded:
            return None
        lines = ended.output.decode("utf-8", "surrogateescape").split("\n")
        return [line.strip() for line in lines if line.strip()]

    async def _run(self, run: Run, command: Command, program: Program) -> Ended | None:
        """Run a program with all that it gets from the request, and log how it failed; None: it did not start."""
        if self._running >= self.max_processes:
            self.refused.value += 1
            self._say(WARNING, command, f"is not started: {self._running} programs run already")
            return None
        try:
            run.hold()
        except Overloaded:
            return None
        values = {**program.environment, **command.environment(run)}
        environment = {name: safe(value) for name, value in values.items()}
        if self.setvars:
            environment |= variables_of(run)
        self._running += 1
        self.started.value += 1
        try:
            ended = await self.services.run_program(
                Program(program.command, environment, program.input, program.room, self.time_to_kill)
            )
        except OSError as error:
            self._say(WARNING, command, f"cannot be started: {error.strerror}")
            return None
        finally:
            self._running -= 1
        self._report(command, ended)
        return ended

    def _report(self, command: Command, ended: Ended) -> None:
        complaint = " | ".join(ended.complaint.decode("utf-8", "backslashreplace").splitlines())
        because = f": {complaint}" if complaint else ""
        if ended.fate is not Fate.EXITED:
            self.killed.value += 1
            self._say(WARNING, command, f"{ended.fate.value}{because}")
        elif ended.status or complaint:
            level = WARNING if complaint else INFO
            self._say(level, command, f"exited with status {ended.status}{because}")

    def _say(self, level: int, command: Command, what: str) -> None:
        self.services.log.write(level, self.name, f"`{command.text}` {what}")


def _is_uri(text: str) -> bool:
    try:
        cached_uri(text)
    except RemoteError:
        return False
    return True
