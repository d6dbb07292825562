"""Another script, or the same one changed, for a server that runs.

Rules:
1. First everything is read, checked and compiled beside (`beside.py`). What is wrong ends it there.
2. A change that needs a restart is named, and then nothing changes; `partial` takes what can be taken.
3. Modules that are new start before anything changes; if one cannot, those that could are stopped again.
4. The change itself is one step between two messages. Modules keep what they hold: the new code calls those that run.
5. A run that waits ends on the script that it began with, which it holds; after the last one that script is freed.
6. One at a time, in the order in which they were asked for.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from openpy.engine.beside import Prepared, Source, Unusable, prepare, rendered
from openpy.engine.changes import CORE, Change, config_changes, file_changes, module_changes
from openpy.engine.config import CoreConfig
from openpy.engine.events import connect_events
from openpy.engine.loader import Loaded
from openpy.engine.module import Module, ModuleError
from openpy.engine.waiting import Stepper, Wait
from openpy.script.parser import Definitions
from openpy.script.syntax import TopLevel

if TYPE_CHECKING:
    from openpy.engine.server import Server

WAITING = 16
"""Reloads that may wait for the one under way."""


class Wish(NamedTuple):
    """What is asked for."""

    dry_run: bool = False
    partial: bool = False


ORDINARY = Wish()


class Outcome(NamedTuple):
    """What came of it: a code as management commands have it, 200 if it was done; a line; and further ones."""

    code: int
    text: str
    lines: tuple[str, ...] = ()


class Refused(Exception):
    """Nothing changes; says why."""

    def __init__(self, code: int, text: str, lines: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.outcome = Outcome(code, text, tuple(lines))


class Reloader:
    """Reloads the script of one server, once one is loaded (`remember`)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._source: Source | None = None
        self._written = CoreConfig()
        """The core parameters as the script in force says them."""
        self._asked: deque[tuple[Wish, Wait[Outcome]]] = deque()
        self._is_busy = False
        self._since = 0.0
        self._done = server.statistics.counter("core", "reloads")
        self._refused = server.statistics.counter("core", "reloads_refused")
        server.statistics.gauge("core", "script_uptime", self._age)

    def remember(
        self,
        path: Path,
        definitions: Definitions,
        further: Sequence[TopLevel],
        before: CoreConfig,
        written: CoreConfig,
    ) -> None:
        """A script was loaded so: `before` are the core parameters before it was read, `written` those after it."""
        self._source = Source(path, os.getcwd(), definitions, further, before)
        self._written = written.copy()
        self._since = self._server.clock.monotonic()

    def reload(self, wish: Wish = ORDINARY) -> Wait[Outcome]:
        """Do it, once those before are done. The wait never fails."""
        wait: Wait[Outcome] = Wait()
        if len(self._asked) >= WAITING:
            wait.resolve(Outcome(503, "too many reloads wait already"))
        else:
            self._asked.append((wish, wait))
            self._next()
        return wait

    def reload_by_signal(self) -> None:
        """Do it for somebody who reads the log. One that has not begun yet will do for several."""
        if not any(wish == ORDINARY for wish, _ in self._asked):
            self.reload()

    def _age(self) -> int:
        return int(self._server.clock.monotonic() - self._since)

    def _next(self) -> None:
        if self._is_busy or not self._asked:
            return
        self._is_busy = True
        wish, wait = self._asked.popleft()

        def finished(outcome: Outcome | None, error: BaseException | None) -> None:
            self._is_busy = False
            if error is not None:
                self._server.report(error)
            wait.resolve(outcome or Outcome(500, "a mistake of ours, which the log shows"))
            self._server.soon(self._next)

        Stepper(self._reload(wish), finished).step()

    # --- one reload -----------------------------------------------------------------------------------------------

    async def _reload(self, wish: Wish) -> Outcome:
        log = self._server.log
        try:
            outcome = await self._carry_out(wish)
        except Refused as refusal:
            outcome = refusal.outcome
            if not wish.dry_run:
                self._refused.value += 1
                log.error("core", "\n".join((f"no reload, {outcome.text}", *outcome.lines)))
        else:
            if not wish.dry_run:
                self._done.value += 1
                log.notice("core", "\n".join((outcome.text, *outcome.lines)))
        return outcome

    async def _carry_out(self, wish: Wish) -> Outcome:
        """Raises Refused."""
        source = self._source
        assert source is not None
        old = self._in_force.script
        prepared: Prepared | Unusable = await self._server.run_blocking(prepare, self._server, source, old)
        if isinstance(prepared, Unusable):
            raise Refused(400, f"the old script goes on: {prepared.reason}", prepared.found)
        try:
            if self._server.dispatcher.draining:
                raise Refused(503, "the server stops")
            changes = self._changes(prepared)
            self._check(changes, wish)
            if not wish.dry_run:
                await self._change_over(prepared, changes)
        except BaseException:
            prepared.loaded.program.retire()
            raise
        finally:
            prepared.discard()
        if wish.dry_run:
            prepared.loaded.program.retire()
        done = "can be" if wish.dry_run else "is"
        text = f"{prepared.loaded.script.file} {done} reloaded{'' if changes else ': nothing changes'}"
        return Outcome(200, text, (*_listed(changes), *rendered(prepared.loaded.warnings)))

    @property
    def _in_force(self) -> Loaded:
        assert self._server.loaded is not None
        return self._server.loaded

    def _changes(self, prepared: Prepared) -> list[Change]:
        running = self._server.modules
        return [
            *config_changes(self._written, prepared.loaded.config),
            *file_changes(CORE, self._in_force.files, prepared.loaded.files),
            *module_changes(running, prepared.configured),
            *prepared.changes,
        ]

    def _check(self, changes: list[Change], wish: Wish) -> None:
        """Raises Refused for what needs a restart."""
        blocked = [change for change in changes if change.needs_restart]
        if not blocked or (wish.partial and not any(change.joins for change in blocked)):
            return
        others = [f"  {change}" for change in changes if not change.needs_restart]
        if others and not wish.partial:
            others.insert(0, "`partial` would take the rest:")
        number = f"{len(blocked)} change needs" if len(blocked) == 1 else f"{len(blocked)} changes need"
        text = f"the old script goes on: {number} a restart"
        raise Refused(409, text, [*(f"  {change}" for change in blocked), *others])

    async def _change_over(self, prepared: Prepared, changes: list[Change]) -> None:
        """Start what is new, change over, stop what is left; raises Refused, and then all is as it was."""
        server, modules = self._server, prepared.loaded.modules
        new = {change.owner: modules[change.owner] for change in changes if change.joins}
        old = {change.owner for change in changes if change.leaves and not change.needs_restart}
        try:
            for name, module in new.items():
                await self._start(name, module)
            self._put_in_force(prepared, changes, new, old)
        except Refused:
            for name, module in new.items():
                server.modules.pop(name, None)
                await self._stop(module)
            raise
        for module in [module for module in server.started if module.name in old]:
            await self._stop(module)

    async def _start(self, name: str, module: Module) -> None:
        """Start a module that is new; raises Refused."""
        server = self._server
        try:
            for command in module.commands():
                if server.commands.find(command.name) is not None:
                    raise ModuleError(f"there is a management command {command.name} already")
            server.modules[name] = module
            module.check()
            await server.runtime.run_task(module.start())
        except ModuleError as error:
            text = f"the old script goes on: {name} cannot be started: {error.message}"
            raise Refused(500, text, filter(None, [error.hint])) from None
        except Exception as error:  # noqa: BLE001 - whatever a module of somebody's raises, the server goes on
            server.report(error)
            raise Refused(500, f"the old script goes on: {name} cannot be started: {error}") from None
        server.started.append(module)

    async def _stop(self, module: Module) -> None:
        """Stop a module that is called no more, if it was started."""
        server = self._server
        if module not in server.started:
            return
        server.started.remove(module)
        try:
            await server.runtime.run_task(module.drain())
            await server.runtime.run_task(module.stop())
        except Exception as error:  # noqa: BLE001 - it has gone all the same
            server.report(error)

    def _put_in_force(
        self, prepared: Prepared, changes: list[Change], new: Mapping[str, Module], old: Set[str]
    ) -> None:
        """Change over, between two messages: these modules are new, those are called no more. Raises Refused."""
        server, loaded, before = self._server, prepared.loaded, self._in_force
        taken = [change for change in changes if not change.needs_restart]
        standing = {name: module for name, module in server.modules.items() if name not in new}
        for module in standing.values():
            server.statistics.remove_module(module)
        try:
            self._set_parameters(prepared, taken)
        finally:
            for module in standing.values():
                server.statistics.add_module(module)
        self._set_core_parameters(loaded.config, taken)
        for name in old:
            server.statistics.remove_module(standing[name])
            server.commands.remove(name)
            connect_events(server, name, standing.pop(name), loaded.program)
        for module in new.values():
            server.statistics.add_module(module)
            server.add_commands(module.commands())
        loaded.modules |= {name: module for name, module in standing.items() if name not in loaded.modules}
        server.modules.clear()
        server.modules.update(loaded.modules)
        loaded.config = server.config
        server.go_by(loaded)
        server.renew_tls()
        server.soon(before.program.retire)  # its tree is freed here: that is enough for one turn
        self._since = server.clock.monotonic()

    def _set_parameters(self, prepared: Prepared, taken: list[Change]) -> None:
        """The parameters of modules that run; raises Refused, and then they are as they were."""
        modules = self._server.modules
        changed: dict[str, dict[str, Any]] = {}
        for change in taken:
            if change.name and change.owner != CORE:
                before = changed.setdefault(change.owner, {})
                before[change.name] = getattr(modules[change.owner], change.name)
                vars(modules[change.owner])[change.name] = getattr(
                    prepared.configured[change.owner], change.name
                )
        name = ""
        reading = [name for name, made in prepared.configured.items() if name in modules and made.files()]
        try:
            for name in dict.fromkeys([*changed, *reading]):
                modules[name].reconfigured(prepared.configured[name])
        except Exception as error:  # noqa: BLE001 - whatever a module of somebody's raises, the server goes on
            self._server.report(error)
            for owner, before in changed.items():
                vars(modules[owner]).update(before)
                with suppress(Exception):
                    modules[owner].reconfigured(modules[owner])
            raise Refused(
                500, f"the old script goes on: {name} does not take its parameters: {error}"
            ) from None

    def _set_core_parameters(self, wanted: CoreConfig, taken: list[Change]) -> None:
        server, written = self._server, self._written
        for change in taken:
            if change.owner != CORE or not change.name:
                continue
            if change.name == "alias":
                others = [alias for alias in server.config.aliases if alias not in written.aliases]
                server.config.aliases[:] = [*others, *wanted.aliases]
                server.sockets.take_aliases()
                written.aliases[:] = wanted.aliases
                continue
            if change.name == "debug":  # -d of the command line, and the command `debug`, count on top of it
                server.log.level += wanted.number("debug") - written.number("debug")
            server.config.values[change.name] = written.values[change.name] = wanted.values[change.name]


def _listed(changes: list[Change]) -> list[str]:
    taken = [f"  {change}" for change in changes if not change.needs_restart]
    return taken + [f"  {change} (not done: needs a restart)" for change in changes if change.needs_restart]
