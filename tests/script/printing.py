"""A tree as the text of a script.

Rules:
1. What is printed parses to an equal tree: parentheses stand where the order of operators needs them, blocks always
   have braces, strings are in double quotes. How it is laid out is the formatter's business.
2. What a tree does not say is not printed: comments, defined names, what is included.
3. A tree that no text gives (a `break` in the midst of a case, a name that is none) is not looked for: the parser
   makes none.
"""

from __future__ import annotations

import re

from openpy.script.syntax import (
    And,
    Arithmetic,
    ArithmeticTruth,
    Assignment,
    BitNot,
    Blacklist,
    Block,
    Break,
    Call,
    Case,
    Comparison,
    CoreParameter,
    Drop,
    Empty,
    Exit,
    Expression,
    FlagName,
    FlagNames,
    If,
    LoadModule,
    ModuleParameter,
    Myself,
    Name,
    Network,
    Not,
    Null,
    Number,
    Operand,
    Or,
    PseudoVariable,
    Return,
    Route,
    RouteCall,
    Script,
    SocketId,
    Statement,
    String,
    Switch,
    TlsDomain,
    TopLevel,
    While,
)
from openpy.script.traversal import chained_if

_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\a": r"\a"}
_SPECIAL = re.compile(r"[\\\"\n\r\t\a]")
_LABEL = re.compile(r"0|[1-9][0-9]{0,8}|[A-Za-z_]\w*", re.ASCII)
_EVENT = re.compile(r"[A-Za-z_]\w*:[A-Za-z_]\w*(-\w+)*", re.ASCII)
_BITWISE, _SUM = 1, 2
_LEVELS = {**dict.fromkeys("&|^", _BITWISE), **dict.fromkeys("+-*/%", _SUM)}


def print_script(script: Script) -> str:
    """The text of a script."""
    return "\n".join(map(_item, script.statements))


def quoted(text: str) -> str:
    """A string as it is written."""
    return f'"{_SPECIAL.sub(lambda match: _ESCAPES[match.group()], text)}"'


# --- outside of routes ----------------------------------------------------------------------------------------


def _item(node: TopLevel) -> str:
    match node:
        case CoreParameter():
            return _parameter(node)
        case LoadModule(path=path):
            return f"loadmodule {quoted(path.value)}"
        case ModuleParameter(modules=modules, name=name, value=value):
            return f"modparam({quoted(modules.value)}, {quoted(name.value)}, {_value(value)})"
        case FlagNames(names=names):
            return f"flags {', '.join(map(_flag, names))}"
        case Blacklist(name=name, rules=rules):
            shown = (
                f"{'!' * rule.negated}({rule.protocol}, {rule.network}, {rule.port}, {quoted(rule.pattern)})"
                for rule in rules
            )
            return f"dst_blacklist={name}:{{{', '.join(shown)}}}"
        case TlsDomain(kind=kind, target=target, parameters=parameters):
            return "\n".join((f"{kind}[{target}] {{", *map(_parameter, parameters), "}"))
        case Route(kind=kind, name=name, body=body):
            label = "" if name == "" or (name == "0" and kind.value == "route") else f"[{_label(name)}]"
            return f"{kind.value}{label} {_block(body)}"


def _parameter(node: CoreParameter) -> str:
    if node.value is not None:
        return f"{node.name}={_value(node.value)}"
    return f"{node.name}={' '.join(map(_socket, node.sockets))}"


def _socket(node: SocketId) -> str:
    parts = (node.protocol, node.host, None if node.port is None else str(node.port))
    return ":".join(part for part in parts if part is not None)


def _flag(node: FlagName) -> str:
    return node.name if node.number is None else f"{node.name}:{node.number}"


def _label(name: str) -> str:
    return name if _LABEL.fullmatch(name) or _EVENT.fullmatch(name) else quoted(name)


# --- statements -----------------------------------------------------------------------------------------------


def _block(block: Block) -> str:
    return "\n".join(("{", *map(_statement, block.statements), "}"))


def _statement(node: Statement) -> str:
    match node:
        case If():
            return _if(node)
        case While(condition=condition, body=body):
            return f"while ({_condition(condition)}) {_block(body)}"
        case Switch(subject=subject, cases=cases):
            return "\n".join((f"switch ({subject.text}) {{", *map(_case, cases), "}"))
        case Break():
            return "break;"
        case Empty():
            return ";"
        case Block():
            return _block(node)
    return f"{_command(node)};"


def _if(node: If) -> str:
    parts = [f"if ({_condition(node.condition)}) {_block(node.body)}"]
    following = node
    while chained := chained_if(following.otherwise):
        parts.append(f"else if ({_condition(chained.condition)}) {_block(chained.body)}")
        following = chained
    if following.otherwise is not None:
        parts.append(f"else {_block(following.otherwise)}")
    return " ".join(parts)


def _case(node: Case) -> str:
    label = "default" if node.label is None else f"case {_value(node.label)}"
    return "\n".join((f"{label}:", *map(_statement, node.statements), *["break;"] * node.breaks))


def _command(node: Call | RouteCall | Assignment | Return | Exit | Drop) -> str:
    match node:
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(_value, arguments))})"
        case RouteCall(name=name):
            return f"route({_label(name)})"
        case Assignment(target=target, operator=operator, value=value):
            return f"{target.text} {operator} {_arithmetic(value)}"
        case Return(value=int(number)):
            return f"return({number})"
        case Return(value=PseudoVariable(text=text)):
            return f"return({text})"
        case Exit():
            return "exit"
        case _:
            return "drop"


# --- expressions ----------------------------------------------------------------------------------------------


def _condition(node: Expression) -> str:
    """A condition; chains of operators are printed from left to right, however long."""
    steps: list[And | Or] = []
    while isinstance(node, And | Or):
        steps.append(node)
        node = node.left
    text = _term(node)
    for step in reversed(steps):
        text += f" {'&&' if isinstance(step, And) else '||'} {_term(step.right)}"
    return text


def _term(node: Expression) -> str:
    negations = 0
    while isinstance(node, Not):
        negations += 1
        node = node.operand
    return "!" * negations + _negated(node)


def _negated(node: Expression) -> str:
    match node:
        case And() | Or():
            return f"({_condition(node)})"
        case ArithmeticTruth(value=value):
            return f"[{_arithmetic(value)}]"
        case Comparison():
            return _comparison(node)
        case If():
            return f"({_if(node)})"
        case Block():
            return _block(node)
        case Assignment() | Return() | Exit() | Drop():
            return f"({_command(node)})"
        case Call() | RouteCall():
            return _command(node)
    return _value(node)


def _comparison(node: Comparison) -> str:
    return f"{_value(node.left)} {node.operator} {_value(node.right)}"


def _arithmetic(node: Expression, level: int = 0) -> str:
    """A value to calculate with; in parentheses where an operator around it binds more tightly."""
    if isinstance(node, Arithmetic):
        own = _LEVELS[node.operator]
        steps: list[Arithmetic] = []
        first: Expression = node
        while isinstance(first, Arithmetic) and (not steps or _LEVELS[first.operator] >= own):
            steps.append(first)
            own = _LEVELS[first.operator]
            first = first.left
        text = _arithmetic(first, own)
        for step in reversed(steps):
            text += f" {step.operator} {_arithmetic(step.right, _LEVELS[step.operator] + 1)}"
        return f"({text})" if _LEVELS[node.operator] < level else text
    match node:
        case BitNot(operand=operand):
            return f"~{_arithmetic(operand, _SUM + 1)}"
        case Comparison():
            return f"({_comparison(node)})"
        case Call() | RouteCall():
            return _command(node)
    return _value(node)


def _value(node: Expression) -> str:
    match node:
        case Number(value=number):
            return str(number)
        case String(value=text):
            return quoted(text)
        case Name(text=text) | Network(text=text) | PseudoVariable(text=text) | Operand(name=text):
            return text
        case Myself():
            return "myself"
        case Null():
            return "NULL"
    raise AssertionError(f"{type(node).__name__} is no value")
