"""openpy: runs a script (the server), or checks it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from openpy import __version__
from openpy.cli.findings import FORMATS
from openpy.cli.guide import banner, guide
from openpy.cli.options import HELP, Options, UsageError, parse_options
from openpy.cli.subcommands import SUBCOMMANDS, listed, run
from openpy.db.errors import DatabaseError
from openpy.engine.config import FACILITIES, CoreConfig
from openpy.engine.control import Control
from openpy.engine.log import WARNING, LibraryLog, Log, Sink, to_stderr
from openpy.engine.logbuffer import LogBuffer
from openpy.engine.loop import new_loop
from openpy.engine.module import ModuleError
from openpy.engine.pace import Pace
from openpy.engine.process import (
    PidFile,
    ProcessError,
    change_directories,
    detach,
    find_identity,
    raise_open_files_limit,
    set_open_files_limit,
)
from openpy.engine.server import Server
from openpy.engine.sockets import SocketError
from openpy.engine.syslog import open_syslog
from openpy.net.lines import SocketInUse
from openpy.script.diagnostics import ScriptError, Severity
from openpy.script.syntax import CoreParameter, Position

STOPPED, FAILED = 0, 255

OTHER_FILES = 100  # of a process with full connections: databases, logs, modules


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (1.3: 0 stopped by a signal, 255 anything bad)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in SUBCOMMANDS:
        return run(arguments[0], arguments[1:])
    try:
        options = parse_options(arguments)
    except UsageError as error:
        print(f"openpy: {error}\nopenpy -h lists the options", file=sys.stderr)
        return FAILED
    if options.help:
        print(f"{HELP}\nor:\n{listed()}")
        return STOPPED
    if options.version:
        print(f"openpy {__version__}, runs scripts of OpenSER 1.3")
        return STOPPED
    try:
        return _check(options) if options.check else _serve(options)
    except ScriptError as error:
        FORMATS[options.format](error.diagnostics)
        count = sum(1 for found in error.diagnostics if found.severity is Severity.ERROR)
        print(f"bad config file ({count} error{'s' if count != 1 else ''})", file=sys.stderr)
    except ModuleError as error:
        print(f"openpy: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"    {error.hint}", file=sys.stderr)
    except (DatabaseError, ProcessError, SocketError, SocketInUse) as error:
        print(f"openpy: {error}", file=sys.stderr)
    except OSError as error:
        print(f"openpy: {error.filename}: {error.strerror}", file=sys.stderr)
    return FAILED


def _check(options: Options) -> int:
    server = _prepare(options)
    FORMATS[options.format](server.loaded.warnings if server.loaded else ())
    print("config file ok, exiting...", file=sys.stderr)
    return STOPPED


def _serve(options: Options) -> int:
    server = _prepare(options)
    FORMATS[options.format](server.loaded.warnings if server.loaded else ())
    config = server.config
    if config.number("open_files_limit") > 0:
        set_open_files_limit(config.number("open_files_limit"))
    _make_room_for_connections(server)
    server.bind()
    with contextlib.ExitStack() as opened:
        opened.callback(server.sockets.close)
        started = detach() if options.daemon else None
        identity = find_identity(options.user or config.text("user"), options.group or config.text("group"))
        log_sink = _log_sink(server, options)
        change_directories(options.chroot or config.text("chroot"), options.workdir or config.text("workdir"))
        if options.pid_file:
            pid_file = PidFile(options.pid_file)
            pid_file.write()
            opened.callback(pid_file.remove)
        identity.take_on()
        buffer = LogBuffer(log_sink, server.log_dropped, partial(server.log.line, WARNING, "core"))
        opened.callback(buffer.close)
        server.log.sink = buffer
        server.log.on_terminal = log_sink is to_stderr and sys.stderr.isatty() and not options.json_log
        loop_log, own_log = logging.getLogger("asyncio"), LibraryLog(server.log)
        loop_log.addHandler(own_log)
        opened.callback(loop_log.removeHandler, own_log)
        control = _open_control(server, options)
        if control is not None:
            opened.callback(control.close)
        with (
            contextlib.suppress(KeyboardInterrupt),
            asyncio.Runner(loop_factory=partial(new_loop, server.stalls, Pace())) as runner,
        ):
            runner.run(_run(server, options, control, started))
    return STOPPED


def _open_control(server: Server, options: Options) -> Control | None:
    """The control socket, if there is to be one; raises SocketInUse where it was asked for and cannot be had."""
    if not options.control:
        return None
    control = Control(server, options.control)
    try:
        control.bind()
    except SocketInUse as error:
        if options.control_is_wanted:
            raise
        hint = "openpyctl cannot reach this server; name another socket with --control"
        server.log.error("core", f"no control socket: {error}; {hint}")
        return None
    return control


def _make_room_for_connections(server: Server) -> None:
    """As many open files as there may be connections; fewer connections where that is not allowed."""
    config = server.config
    if config.number("disable_tcp"):
        return
    wanted = config.number("tcp_max_connections")
    given = config.number("open_files_limit") > 0
    room = max(raise_open_files_limit(0 if given else wanted + OTHER_FILES) - OTHER_FILES, 1)
    if room < wanted:
        why = "the limit of open files leaves no room for more: raise it (ulimit -n, open_files_limit)"
        server.log.warning("core", f"tcp_max_connections is {room} instead of {wanted}: {why}")
        config.values["tcp_max_connections"] = room


def _prepare(options: Options) -> Server:
    """The server with its script read and checked; nothing is open yet."""
    config = CoreConfig()
    if options.disable_tcp:
        config.values["disable_tcp"] = 1
    if options.check_via:
        config.values["check_via"] = 1
    server = Server(config, log=Log(json_lines=options.json_log), allow_exec=options.allow_exec)
    at = Position("the command line", 1, 1, 1, 1)
    sockets = [replace(each, position=at) for each in options.listen]
    listen = [CoreParameter("listen", None, (each,), position=at) for each in sockets]
    server.load(options.file, options.definitions, listen)
    server.log.level += options.louder
    return server


async def _run(
    server: Server, options: Options, control: Control | None, started: Callable[[], None] | None
) -> None:
    """Serve until a signal; `started` hears that it has begun."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: _log_statistics(server))
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    if signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL:  # it would end us; a profiler may have taken it
        loop.add_signal_handler(signal.SIGUSR2, lambda: None)
    await server.start()
    loop.add_signal_handler(signal.SIGHUP, server.reloader.reload_by_signal)
    if control is not None:
        await control.start()
    print((guide if options.guide else banner)(server), flush=True)
    if started is not None:
        started()
    await stopped.wait()
    if control is not None:
        control.close()
    await server.stop()
    _log_statistics(server)
    for number in (signal.SIGTERM, signal.SIGINT):  # a second one, from here to the end, changes nothing
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def _log_sink(server: Server, options: Options) -> Sink:
    """stderr; the system's log, where there is one, if the script says `log_stderror=no` or we run detached.

    Opened before `chroot`: there is seldom a log in there.
    """
    if options.daemon or server.config.values["log_stderror"] == 0:
        facility = FACILITIES[server.config.text("log_facility")]
        return open_syslog(facility, server.config.text("log_name")) or server.log.sink
    return server.log.sink


def _log_statistics(server: Server) -> None:
    for line in server.statistics.lines():
        server.log.notice("statistics", line)


if __name__ == "__main__":
    sys.exit(main())
