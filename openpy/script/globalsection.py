# ruff: noqa: D102 - the rule of the grammar that names a method describes it
"""The statements outside of routes, as nodes: parameters, sockets, blacklists, TLS domains, modules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openpy.script import dialects
from openpy.script.lexer import Token
from openpy.script.literals import Literals, text_of
from openpy.script.rules import settings
from openpy.script.rules.statements import OTHER_DIALECT
from openpy.script.strings import unquote
from openpy.script.syntax import (
    Blacklist,
    BlacklistRule,
    CoreParameter,
    FlagName,
    FlagNames,
    LoadModule,
    ModuleParameter,
    Name,
    Network,
    Null,
    Number,
    Operand,
    Position,
    PseudoVariable,
    SocketId,
    String,
    TlsDomain,
    Value,
)

_PROTOCOLS = frozenset(("udp", "tcp", "tls", "sctp", "ws", "wss", "any"))


class GlobalSection(Literals):
    """Builds what stands outside of routes."""

    def parameter(self, at: Position, name: Token, value: Value) -> CoreParameter:
        match value:
            case Number() | String() | Name():
                return CoreParameter(name.text, value, position=at)
            case Network() | Operand():
                return CoreParameter(name.text, Name(text_of(value), position=value.position), position=at)
        self._error(settings.BAD_VALUE, value.position, f"{name.text} takes a number, a string or a name")
        return CoreParameter(name.text, None, position=at)

    def socket_parameter(self, at: Position, name: Token, sockets: list[SocketId]) -> CoreParameter:
        for socket in sockets[1:]:
            if socket.protocol is None and socket.port is None and (hint := dialects.SOCKET.get(socket.host)):
                place = socket.position
                behind = (place.line, place.column)
                self._found[:] = [d for d in self._found if d.position.file != place.file or d.place < behind]
                self._error(OTHER_DIALECT, place, f"{socket.host} is no socket", hint)
                break
        return CoreParameter(name.text, None, tuple(sockets), position=at)

    def socket(self, at: Position, parts: list[Value]) -> SocketId:
        words = [text_of(part) for part in parts]
        protocol = words[0].lower() if len(parts) > 1 and words[0].lower() in _PROTOCOLS else None
        host, *port = parts[1:] if protocol else parts
        if len(port) > 1 or isinstance(host, Number | PseudoVariable | Null):
            hint = "it is written [protocol:]host[:port], such as udp:10.0.0.1:5060"
            self._error(settings.BAD_SOCKET, at, f"{':'.join(words)} is no socket", hint)
            port = []
        return SocketId(protocol, text_of(host), self._port(port[0]) if port else None, position=at)

    def _port(self, written: Value) -> int:
        text = text_of(written)
        if text == "any":
            return 0
        if isinstance(written, Number) and 0 <= written.value <= 65535:
            return written.value
        self._error(
            settings.BAD_SOCKET,
            written.position,
            f"{text} is no port",
            "a port is a number up to 65535, or any",
        )
        return 0

    def blacklist(self, at: Position, name: Token, rules: list[BlacklistRule]) -> Blacklist:
        return Blacklist(name.text, tuple(rules), position=at)

    def blacklist_rule(
        self, at: Position, protocol: Value, network: Value, port: Value, pattern: Token
    ) -> BlacklistRule:
        name = text_of(protocol).lower()
        if name not in _PROTOCOLS:
            hint = "udp, tcp, tls, sctp, ws, wss or any"
            self._error(settings.BAD_BLACKLIST, protocol.position, f"{name} is no protocol", hint)
        if not isinstance(network, Network):
            message = "an address or a network is expected"
            self._error(settings.BAD_BLACKLIST, network.position, message, "such as 10.0.0.0/8")
        number = self._port(port)
        return BlacklistRule(False, name, text_of(network), number, unquote(pattern.text), position=at)

    def negated_blacklist_rule(self, at: Position, *parts: Any) -> BlacklistRule:
        return replace(self.blacklist_rule(at, *parts), negated=True)

    def tls_domain(
        self, at: Position, kind: Token, target: list[Value], parameters: list[CoreParameter]
    ) -> TlsDomain:
        return TlsDomain(kind.text, ":".join(map(text_of, target)), tuple(parameters), position=at)

    def load_module(self, at: Position, path: Token) -> LoadModule:
        return LoadModule(self.string(path.position, path), position=at)

    def module_path(self, at: Position, word: Token, path: Token) -> CoreParameter:
        return CoreParameter(word.text, self.string(path.position, path), position=at)

    def flag_names(self, at: Position, _word: Token, names: list[FlagName]) -> FlagNames:
        return FlagNames(tuple(names), position=at)

    def flag_name(self, at: Position, name: Token, number: Token | None = None) -> FlagName:
        return FlagName(name.text, None if number is None else self._integer(number), position=at)

    def module_parameter(
        self, at: Position, modules: Token, name: Token, value: Number | String
    ) -> ModuleParameter:
        pattern, parameter = self.string(modules.position, modules), self.string(name.position, name)
        return ModuleParameter(pattern, parameter, value, position=at)
