"""The tree of a script: one dataclass per construct, each with its place in the file.

Rules:
1. A node says what was written, not what it means: names are not resolved here.
2. Every node has a `position`; the compiler carries it into the code, so that
   tracebacks, debuggers and diagnostics name the script's own lines.
3. Nodes are frozen; equal text gives equal trees (positions do not take part in equality).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a script. Lines and columns start at 1; `end_column` is one past the last character.

    What stands for a defined name has the place of the name; `piece` tells its tokens apart: the second is 1.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    piece: int = 0


NOWHERE = Position("", 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Node:
    """The base of all nodes."""

    position: Position = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# --- Values -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Node):
    """`5`, `-1`, `0x1f`, `010`, `yes`: a 32-bit integer."""

    value: int


@dataclass(frozen=True, slots=True)
class String(Node):
    """A quoted string, with its escapes already applied (bytes above 127 as surrogate escapes)."""

    value: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare word: an ID, a host, an address or a protocol, as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Null(Node):
    """`NULL`."""


@dataclass(frozen=True, slots=True)
class Myself(Node):
    """`myself`."""


@dataclass(frozen=True, slots=True)
class PseudoVariable(Node):
    """`$ru`, `$(hdr(Via)[0]{s.len})`: the whole text, `$` included. `formats` takes it apart."""

    text: str


@dataclass(frozen=True, slots=True)
class Operand(Node):
    """A keyword operand: `method`, `uri`, `status`, `from_uri`, `src_ip`, `msg:len` ..."""

    name: str


@dataclass(frozen=True, slots=True)
class Network(Node):
    """`10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `[::1]`: an address or network beside src_ip or dst_ip, as written."""

    text: str


# --- Expressions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`left op right`; op is one of `== != < > <= >= =~ !~`."""

    left: Expression
    operator: str
    right: Expression


@dataclass(frozen=True, slots=True)
class And(Node):
    """`a && b` (one precedence level with `||`, left associative)."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Or(Node):
    """`a || b`."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`!a`; a comparison is reduced before it, so `!uri==myself` is `!(uri==myself)`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class ArithmeticTruth(Node):
    """`[expr]` in a condition."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`a + b`; op is one of `+ - * / % & | ^`. `+ - * / %` are one level and bind tighter than `& | ^`."""

    left: Expression
    operator: str
    right: Expression


@dataclass(frozen=True, slots=True)
class BitNot(Node):
    """`~a`."""

    operand: Expression


# --- Statements -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a core or module function: `name(arguments)`.

    Module functions take String arguments in 1.3; Number and PseudoVariable arguments are kept
    as written, and the checker decides. `route(1)` and `return(1)` have nodes of their own.
    `force_send_socket(udp:1.2.3.4:5060)` and the like keep the unquoted text as one Name.
    """

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RouteCall(Node):
    """`route(name)`; the name of the main route is "0"."""

    name: str


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`target op value`; op is `= := += -= /= *= %= &= |= ^=`. Also a condition: true if it succeeded."""

    target: PseudoVariable
    operator: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Block(Node):
    """`{ ... }`, or the single statement of an `if`; also an element of a condition."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if cond body [else otherwise]`; also an element of a condition."""

    condition: Expression
    body: Block
    otherwise: Block | None


@dataclass(frozen=True, slots=True)
class While(Node):
    """`while cond body`."""

    condition: Expression
    body: Block


@dataclass(frozen=True, slots=True)
class Case(Node):
    """One `case label:`; `label` is None for `default:`. `breaks`: it ended with `break;`."""

    label: Number | String | None
    statements: tuple[Statement, ...]
    breaks: bool


@dataclass(frozen=True, slots=True)
class Switch(Node):
    """`switch (pv) { case ...: ... default: ... }`."""

    subject: PseudoVariable
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Return(Node):
    """`return`, `return(n)`, `return $var(x)`; the value defaults to 1 and 0 means exit."""

    value: int | PseudoVariable


@dataclass(frozen=True, slots=True)
class Exit(Node):
    """`exit`: ends the whole script."""


@dataclass(frozen=True, slots=True)
class Drop(Node):
    """`drop`: as exit, with the drop flag."""


@dataclass(frozen=True, slots=True)
class Break(Node):
    """`break;` in a `while`, in `default`, or (old scripts) outside of any: leaves the loop or the route."""


@dataclass(frozen=True, slots=True)
class Empty(Node):
    """`;` alone."""


# --- Top level --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SocketId(Node):
    """One entry of `listen` or `alias`: `[proto:]host[:port]`; `port` 0 means any or unset."""

    protocol: str | None
    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class CoreParameter(Node):
    """`name = value`; for `listen` and `alias` the value is in `sockets`."""

    name: str
    value: Number | String | Name | None
    sockets: tuple[SocketId, ...] = ()


@dataclass(frozen=True, slots=True)
class BlacklistRule(Node):
    """`[!](proto, net, port, "regex")` of a dst_blacklist."""

    negated: bool
    protocol: str
    network: str
    port: int
    pattern: str


@dataclass(frozen=True, slots=True)
class Blacklist(Node):
    """`dst_blacklist = name:{rule, ...}`."""

    name: str
    rules: tuple[BlacklistRule, ...]


@dataclass(frozen=True, slots=True)
class TlsDomain(Node):
    """`tls_server_domain[ip:port] { ... }` and its client form."""

    kind: str
    target: str
    parameters: tuple[CoreParameter, ...]


@dataclass(frozen=True, slots=True)
class LoadModule(Node):
    """`loadmodule "x.so"`."""

    path: String


@dataclass(frozen=True, slots=True)
class ModuleParameter(Node):
    """`modparam("a|b", "name", value)`."""

    modules: String
    name: String
    value: Number | String


@dataclass(frozen=True, slots=True)
class FlagName(Node):
    """`NAME` or `NAME:number` in a list of flags; without a number it gets a free one."""

    name: str
    number: int | None


@dataclass(frozen=True, slots=True)
class FlagNames(Node):
    """`flags NAME:1, NAME;`: names of flags."""

    names: tuple[FlagName, ...]


class RouteKind(Enum):
    """The block types; the value is the keyword."""

    REQUEST = "route"
    FAILURE = "failure_route"
    ONREPLY = "onreply_route"
    BRANCH = "branch_route"
    ERROR = "error_route"
    EVENT = "event_route"


@dataclass(frozen=True, slots=True)
class Route(Node):
    """A route block.

    `name` is "0" for `route {}` / `request_route {}`, "" for a global `onreply_route` (`reply_route`), and the whole
    `module:event` of an `event_route`.
    """

    kind: RouteKind
    name: str
    body: Block


Value = Number | String | Name | Null | Myself | PseudoVariable | Operand | Network
Expression = (
    Value
    | Comparison
    | And
    | Or
    | Not
    | ArithmeticTruth
    | Arithmetic
    | BitNot
    | Call
    | RouteCall
    | Assignment
    | Block
    | If
    | Return
    | Exit
    | Drop
)
Statement = Call | RouteCall | Assignment | Block | If | While | Switch | Return | Exit | Drop | Break | Empty
TopLevel = CoreParameter | Blacklist | TlsDomain | LoadModule | ModuleParameter | FlagNames | Route


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed file: its statements in order."""

    file: str
    statements: tuple[TopLevel, ...]
