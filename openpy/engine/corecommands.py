"""The management commands of the server itself (openser 1.3 core: `mi_core`, `statistics`)."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from openpy import __version__
from openpy.engine.mi import CommandFailed, MiError, Reply, mi_command
from openpy.engine.operands import PROTOCOLS
from openpy.engine.reload import Wish

if TYPE_CHECKING:
    from openpy.engine.server import Server

PRODUCT = f"openpy ({__version__})"
"""Who we are, in the Server header and in the answer to `version`."""

CORE = 0
"""Who keeps a blacklist, as a number."""

READ_ONLY, EXPIRING = 1, 2
"""Flags of a blacklist."""

NOT_FOUND = (404, "Statistics Not Found")


class CoreCommands:
    """Each method is a command; 1.3 lists them in this order."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @mi_command("get_statistics")
    def get_statistics(self, name: str, *more: str) -> Reply:
        """Values: a name, also with its group, a group (`sl:`), or `all`; unknown names are passed over."""
        found = [entry for wanted in (name, *more) for entry in self._server.statistics.select(wanted)]
        if not found:
            raise MiError(*NOT_FOUND)
        reply = Reply()
        for group, own_name, value in found:
            reply.add(value=f"{group}:{own_name} = {value}")
        return reply

    @mi_command("reset_statistics")
    def reset_statistics(self, name: str, *more: str) -> None:
        """Set counters to 0 by name; what is only computed stays as it is."""
        if not [wanted for wanted in (name, *more) if self._server.statistics.reset(wanted)]:
            raise MiError(*NOT_FOUND)

    @mi_command("uptime")
    def uptime(self) -> Reply:
        """The time, when the server was started, and the seconds since."""
        now, since = self._server.clock.wall(), self._server.up_since
        reply = Reply()
        reply.add("Now", time.ctime(now))
        reply.add("Up since", time.ctime(since))
        reply.add("Up time", f"{int(now - since)} [sec]")
        return reply

    @mi_command("version")
    def version(self) -> Reply:
        """What server this is."""
        reply = Reply()
        reply.add("Server", PRODUCT)
        return reply

    @mi_command("pwd")
    def pwd(self) -> Reply:
        """The working directory."""
        reply = Reply()
        reply.add("WD", os.getcwd())
        return reply

    @mi_command("arg")
    def arg(self) -> Reply:
        """The words of the command line."""
        return _list(sys.argv)

    @mi_command("which")
    def which(self) -> Reply:
        """The names of all commands."""
        return _list([command.name for command in self._server.commands])

    @mi_command("ps")
    def ps(self) -> Reply:
        """The processes, of which there is one."""
        first = next(iter(self._server.sockets.endpoints), "")
        reply = Reply()
        reply.add("Process", ID="0", PID=str(os.getpid()), Type=f"stand-alone SIP receiver {first}".rstrip())
        return reply

    @mi_command("kill")
    def kill(self) -> None:
        """Stop the server; as in 1.3 the answer, where one still comes, is `failed`."""
        os.kill(os.getpid(), signal.SIGTERM)
        raise CommandFailed

    @mi_command("debug")
    def debug(self, level: int | None = None) -> Reply:
        """The log level, after it was set if one is given."""
        log = self._server.log
        if level is not None:
            log.level = level
        reply = Reply()
        reply.add("DEBUG", str(log.level))
        return reply

    @mi_command("list_blacklists")
    def list_blacklists(self) -> Reply:
        """The blacklists of destinations, with their rules; `Expire` in seconds from now."""
        reply = Reply()
        loaded = self._server.loaded
        for name, blacklist in loaded.blacklists.items() if loaded is not None else ():
            flags = EXPIRING if blacklist.expires else READ_ONLY
            node = reply.add("List", name, owner=str(CORE), flags=str(flags))
            for rule, left in blacklist.standing():
                shown = node.add("Rule", "", flags=str(int(rule.negated)))
                shown.add("IP", str(rule.network.network_address))
                shown.add("Mask", str(rule.network.netmask))
                shown.add("Proto", str(PROTOCOLS[rule.transport or "any"]))
                shown.add("Port", str(rule.port))
                if rule.pattern:
                    shown.add("Match", rule.pattern)
                if blacklist.expires:
                    shown.add("Expire", str(round(left)))
        return reply

    @mi_command("reload")
    async def reload(self, *options: str) -> Reply:
        """Read the script anew, and go by it; `dry-run` only tells what would change, `partial` does without what needs
        a restart (docs/reload.md)."""
        unknown = [option for option in options if option not in ("dry-run", "partial")]
        if unknown:
            raise MiError(400, f"{unknown[0]} is no option: dry-run and partial are")
        outcome = await self._server.reloader.reload(Wish("dry-run" in options, "partial" in options))
        done = outcome.code == 200
        reply = _list([outcome.text] * done + list(outcome.lines))
        if not done:
            reply.code, reply.reason = outcome.code, outcome.text
        return reply


def _list(values: list[str]) -> Reply:
    reply = Reply()
    for value in values:
        reply.add(value=value)
    return reply
