"""What can never fit: comparisons whose sides are never equal, such as misspelt methods, URIs without a scheme, domains
with one, numbers beside text; and assignments that a variable does not take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from openpy.script.diagnostics import Diagnostic, did_you_mean, warning
from openpy.script.environment import Effect, Environment
from openpy.script.rules import conditions, values
from openpy.script.syntax import (
    Assignment,
    Call,
    Comparison,
    Expression,
    Name,
    Node,
    Null,
    Number,
    Operand,
    PseudoVariable,
    Route,
    RouteKind,
    String,
    Switch,
)
from openpy.script.traversal import walk

_words = str.split
METHODS = frozenset(_words("method $rm"))
"""What holds the method of a request."""
_URIS = frozenset(_words("uri from_uri to_uri $ru $ruri $ou $ouri $fu $from $tu $to $du $duri"))
_DOMAINS = {"$rd": "$ru", "$ruri.domain": "$ru", "$od": "$ou", "$fd": "$fu", "$td": "$tu"}
"""Domains, and the URIs that they are of."""
_PARTS = {
    **dict.fromkeys(("from_uri", "$fu", "$from"), ("$fU", "$fd")),
    **dict.fromkeys(("to_uri", "$tu", "$to"), ("$tU", "$td")),
    **dict.fromkeys(("$ou", "$ouri"), ("$oU", "$od")),
}
"""User and domain of URIs other than the Request-URI."""
_ADDRESSES = {"$si": "src_ip", "$src_ip": "src_ip", "$Ri": "dst_ip"}
"""Addresses, and the operands that are compared with networks."""
_TEXT_TARGETS = frozenset(_words("$ru $ruri $rU $ruri.user $rd $ruri.domain $du $duri $br $fs"))
"""Variables that take text and no number."""
_NEVER_NULL = frozenset(_words("$ru $ruri $rd $ruri.domain $br"))
TEXTS = _TEXT_TARGETS | frozenset(
    _words(
        "$ou $ouri $oU $od $dd $ds $bR $fu $from $fU $from.user $fd $from.domain $ft $fn $tu $to $tU $to.user $td"
        " $to.domain $tt $tn $ci $ct $cT $rb $mb $ua $si $src_ip $Ri $rr $au $aU $ar $adu $Au $ai $pu $pU $pd $pn"
        " $re $rt $di $err.info $err.rreason"
    )
)
"""Variables that are text without a number beside it; so are headers."""
_SCHEMES = ("sip:", "sips:", "tel:")
_ALTERNATIVES = re.compile(r"\^?\(?([A-Za-z]+(?:\|[A-Za-z]+)*)\)?\$?")
_HEADER = re.compile(r"\$hdr\([^)]*\)(\[[^]]*\])?")
_LITERAL_START = re.compile(r"\^([A-Za-z0-9@]+)(?![*?{A-Za-z0-9@])")


def misfits_of(route: Route, environment: Environment) -> Iterator[Diagnostic]:
    """All that never fits in one route."""
    for node in walk(route):
        match node:
            case Comparison(left=left, right=String() | Name() as right):
                yield from _comparison(node, shown(left), right, environment, route.kind)
            case Comparison(left=left, operator=operator, right=Number() as right) if _is_text(shown(left)):
                yield _number_beside_text(node, shown(left), operator, right.value)
            case Assignment(target=target, value=Number() | Null()):
                yield from _assignment(node, shown(target))
            case Switch(subject=subject, cases=cases):
                for label in (case.label for case in cases):
                    yield from _label(label, shown(subject), environment)
            case Call(name=name, arguments=[String(value=text) as argument]):
                function = environment.function(name, 1)
                if function is not None and function.effect is Effect.TESTS_METHOD:
                    yield from _methods(argument, text.split("|"), environment)


def shown(value: Expression) -> str:
    """The name of a value that a message has: `method`, `$rm`, also for `$(rm)`."""
    match value:
        case Operand(name=name):
            return name
        case PseudoVariable(text=text) if text.startswith("$(") and text.endswith(")"):
            return f"${text[2:-1]}"
        case PseudoVariable(text=text):
            return text
    return ""


def _comparison(
    node: Comparison, left: str, right: String | Name, environment: Environment, kind: RouteKind
) -> Iterator[Diagnostic]:
    text = right.value if isinstance(right, String) else right.text
    matches = node.operator in ("=~", "!~")
    if left in METHODS:
        words = [text]
        if matches:
            alternatives = _ALTERNATIVES.fullmatch(text)
            words = alternatives.group(1).split("|") if alternatives else []
        yield from _methods(right, words, environment, matches)
    elif left in _URIS and not (left == "uri" and kind is RouteKind.ONREPLY):
        if matches:
            yield from _uri_pattern(node, left, text)
        elif node.operator in ("==", "!=") and text and ":" not in text:
            message = f'{left} is a whole URI, with its scheme, and never "{text}"'
            user, domain = _PARTS.get(left, ("$rU", "$rd"))
            hint = f'write "sip:{text}"'
            if "@" not in text:
                part, value = ("domain", domain) if "." in text else ("user", user)
                hint = f'its {part} is compared by {value} {node.operator} "{text}"'
            yield warning(conditions.NEVER_EQUAL, node.position, message, hint)
    elif left in _DOMAINS and node.operator in ("==", "!=") and (text.startswith(_SCHEMES) or "@" in text):
        message = f'{left} is a domain, without scheme and user, and never "{text}"'
        hint = f"the whole URI is in {_DOMAINS[left]}"
        yield warning(conditions.NEVER_EQUAL, node.position, message, hint)
    elif left in _ADDRESSES and node.operator in ("==", "!=") and "/" in text:
        message = f'{left} is an address, and never the network "{text}"'
        hint = f"write {_ADDRESSES[left]} {node.operator} {text}"
        yield warning(conditions.NEVER_EQUAL, node.position, message, hint)


def _label(label: Number | String | None, subject: str, environment: Environment) -> Iterator[Diagnostic]:
    match label:
        case String(value=text) if subject in METHODS:
            yield from _methods(label, [text], environment)
        case Number(value=number) if _is_text(subject):
            message = f"{subject} is text, and never the number {number}"
            yield warning(conditions.NEVER_EQUAL, label.position, message, f'write case "{number}":')


def _is_text(variable: str) -> bool:
    return variable in TEXTS or _HEADER.fullmatch(variable) is not None


def _number_beside_text(node: Comparison, left: str, operator: str, number: int) -> Diagnostic:
    message = f"{left} is text: to compare it with a number is an error at run time"
    hint = f"write $({left[1:]}{{s.int}}) {operator} {number}"
    if operator in ("==", "!="):
        hint = f'write {left} {operator} "{number}"'
    return warning(conditions.FAILS, node.position, message, hint)


def _assignment(node: Assignment, target: str) -> Iterator[Diagnostic]:
    """One that fails whatever the message is."""
    match node.value:
        case Null() if target in _NEVER_NULL:
            message = f"{target} cannot be NULL: this assignment always fails"
            yield warning(values.FAILING_ASSIGNMENT, node.position, message)
        case Number(value=number) if target in _TEXT_TARGETS:
            message = f"{target} takes text and no number: this assignment always fails"
            hint = f'write {target} {node.operator} "{number}"' if node.operator in ("=", ":=", "+=") else ""
            yield warning(values.FAILING_ASSIGNMENT, node.position, message, hint)


def _methods(
    place: Node, words: Iterable[str], environment: Environment, parts: bool = False
) -> Iterator[Diagnostic]:
    """The first word that is no method, or with `parts` no part of one."""
    for word in words:
        word = word.strip().upper()
        if any(word in method if parts else word == method for method in environment.methods):
            continue
        if hint := did_you_mean(word, environment.methods):
            message = f"{word} is not the name of a method"
            yield warning(conditions.UNKNOWN_METHOD, place.position, message, hint)
            return


def _uri_pattern(node: Comparison, left: str, text: str) -> Iterator[Diagnostic]:
    """An expression that begins with `^` and what no scheme begins with."""
    start = _LITERAL_START.match(text)
    if start is None or "|" in text or text.startswith(":", start.end()):
        return
    literal = start.group(1).lower()
    if not any(scheme.startswith(literal) or literal.startswith(scheme) for scheme in _SCHEMES):
        message = f'{left} begins with its scheme, and never with "{start.group(1)}"'
        yield warning(conditions.IMPOSSIBLE_PATTERN, node.position, message, f'write "^sip:{text[1:]}"')
