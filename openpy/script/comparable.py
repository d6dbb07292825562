"""What may be compared with what, and what may stand alone: 1.3's table, and what to write instead.

Each function returns None, or what is wrong and a hint.
"""

from __future__ import annotations

from openpy.script.syntax import (
    Myself,
    Name,
    Network,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
    Value,
)

Problem = tuple[str, str] | None

_words = str.split
_URIS = frozenset(("uri", "status", "from_uri", "to_uri"))
_ADDRESSES = frozenset(("src_ip", "dst_ip"))
_NUMBERS: dict[str, tuple[frozenset[str], str]] = {
    "proto": (
        frozenset(_words("udp UDP tcp TCP tls TLS sctp SCTP ws WS wss WSS any")),
        "udp, tcp, tls, sctp, ws, wss or any, unquoted",
    ),
    "af": (frozenset(_words("inet INET inet6 INET6")), "inet or inet6"),
    "msg:len": (frozenset(("max_len",)), "a number or max_len"),
    "src_port": (frozenset(), "a number"),
    "dst_port": (frozenset(), "a number"),
}
"""Operands that are numbers: the words that stand for some, and what to say."""

VARIABLES = {
    "method": "$rm",
    "uri": "$ru",
    "status": "$rs",
    "from_uri": "$fu",
    "to_uri": "$tu",
    "src_ip": "$si",
    "src_port": "$sp",
    "dst_ip": "$Ri",
    "dst_port": "$Rp",
    "proto": "$pr",
    "af": "$af",
    "msg:len": "$ml",
}
"""Operands, and the variables that have their values."""

_METHODS = frozenset(
    _words("INVITE ACK BYE CANCEL OPTIONS REGISTER MESSAGE SUBSCRIBE NOTIFY PUBLISH REFER INFO UPDATE PRACK")
)


def condition_problem(value: Value) -> Problem:
    """Whether a value can be a condition by itself: only a variable or a number can."""
    match value:
        case PseudoVariable() | Number():
            return None
        case String():
            return "a string is no condition", 'compare it with something, as in $rm=="INVITE"'
        case Name(text=text) if text.upper() in _METHODS:
            return f"{text} is no condition", f"each method is compared: method=={text}"
        case Name(text=text):
            return f"{text} is no condition", f"a function is called with parentheses: {text}()"
        case Operand(name=name):
            return f"{name} must be compared with something", f"or use {VARIABLES[name]}"
        case Myself():
            return "myself must be compared with something", "such as uri==myself"
        case Null():
            return "NULL must be compared with something", "such as $rU==NULL"
        case Network():
            return "an address is no condition", "compare it with something, as in src_ip==10.0.0.1"


def value_problem(value: Value) -> Problem:
    """Whether a value can be assigned or calculated with."""
    match value:
        case Operand(name=name):
            return f"{name} can only be compared", f"use {VARIABLES[name]}"
        case Myself():
            return "myself can only be compared", "such as uri==myself"
        case Network(text=text):
            return "an address can only be compared", f'quote it: "{text}"'
    return None


def comparison_problem(left: Value, operator: str, right: Value) -> Problem:
    """Whether the language has this comparison."""
    match left:
        case PseudoVariable():
            return _variable(operator, right)
        case Operand(name=name) if name in _URIS:
            return _uri(name, operator, right)
        case Operand(name=name) if name in _ADDRESSES:
            return _address(name, operator, right)
        case Operand(name=name) if name in _NUMBERS:
            words, what = _NUMBERS[name]
            if isinstance(right, Name) and right.text in words:
                return _no_matching(name, operator)
            if isinstance(right, Number) and name != "proto":
                return _no_matching(name, operator)
            return _needs(name, what)
        case Operand(name=name):
            return None if isinstance(right, String | Name) else _needs(name, "a string")
        case Myself():
            if isinstance(right, Operand) and right.name in _URIS | _ADDRESSES:
                return _only_equality("myself", operator)
            return "myself is compared with uri, from_uri, to_uri, src_ip or dst_ip", ""
        case Name(text=text):
            hint = f"a variable is written $var({text}), a function {text}()"
            return f"{text} cannot stand on the left of a comparison", hint
        case _:
            return "a literal cannot stand on the left of a comparison", "write the variable first"


def _variable(operator: str, right: Value) -> Problem:
    match right:
        case Null():
            return _only_equality("NULL", operator)
        case Myself():
            return _only_equality("myself", operator)
        case Number():
            return _no_matching("a number", operator)
        case Operand(name=name):
            return f"{name} cannot stand on the right of a comparison", f"use {VARIABLES[name]}"
        case Network(text=text):
            return "an address is quoted here", f'write "{text}"'
    return None


def _uri(name: str, operator: str, right: Value) -> Problem:
    match right:
        case String() | Name():
            return None
        case Myself():
            return _only_equality("myself", operator)
        case Number() if name == "status":
            return _no_matching("a number", operator)
        case Network(text=text):
            return "an address is quoted here", f'write {name}{operator}"{text}"'
    return _needs(name, "a string, a host or myself")


def _address(name: str, operator: str, right: Value) -> Problem:
    match right:
        case Network():
            return _only_equality("an address", operator)
        case Myself():
            return _only_equality("myself", operator)
        case String() | Name():
            return None
    return _needs(name, "an address, a network, a host, a string or myself")


def _needs(name: str, what: str) -> Problem:
    return f"{name} is compared with {what}", f"the same as a variable: {VARIABLES[name]}"


def _no_matching(name: str, operator: str) -> Problem:
    if operator in ("=~", "!~"):
        return f"{operator} cannot be used with {name}", "it matches a string with an expression"
    return None


def _only_equality(name: str, operator: str) -> Problem:
    return (
        None if operator in ("==", "!=") else (f"{operator} cannot be used with {name}", "only == and != can")
    )
