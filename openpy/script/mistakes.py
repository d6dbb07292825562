"""Syntax errors in people's words: what was found, what was expected, what was probably meant.

1.3's own fragments (`bad command: missing ';'?`) are kept where they fit, so that they can be recognised.
"""

from __future__ import annotations

from openpy.script import comparable, dialects
from openpy.script.automaton import Machine
from openpy.script.corenames import BARE_COMMANDS, FIRST_NAMES, LIKE_KEYWORDS
from openpy.script.diagnostics import Diagnostic, did_you_mean, error
from openpy.script.lexer import END, Token, begins_line
from openpy.script.rules import statements, text
from openpy.script.rules.rule import ErrorRule
from openpy.script.syntax import Position

_words = str.split
_COMMANDS = frozenset(_words("WORD VARIABLE ROUTE if while switch return exit drop break"))
_VALUES = frozenset(_words("STRING NUMBER VARIABLE WORD HOST NETWORK OPERAND SIGN myself NULL"))
_LONGEST = 100
"""Tokens of a statement that are looked at for another dialect."""
_BEFORE_COMMAND = frozenset((";", "{", "}", ")", ":", "(", "!", "&&", "||", "else"))
_TOP_LEVEL_WORDS = _words(
    "loadmodule modparam route request_route failure_route onreply_route branch_route error_route event_route"
    " include_file import_file flags listen alias dst_blacklist tls_server_domain tls_client_domain"
)

GOOD_HEADS: dict[str, tuple[tuple[str, str], ...]] = {
    "if": (("if", "if"), ("NUMBER", "1")),
    "switch": (("switch", "switch"), ("(", "("), ("VARIABLE", "$rc"), (")", ")")),
}
"""What to read in place of a broken head, so that the block behind it can be read."""


def in_route(machine: Machine) -> bool:
    """Whether statements are read, and not the global section."""
    return machine.within("statement", "item") == "statement"


# --- Ends that are missing ------------------------------------------------------------------------------------


def misquoted(tokens: list[Token], index: int) -> Diagnostic | None:
    """A string beside a mistake where a quote is missing or one too many: it goes over lines, or one never ends."""
    for token in tokens[max(index - 1, 0) : index + 1]:
        place = token.position
        if token.kind != "STRING":
            continue
        start = Position(place.file, place.line, place.column, place.line, place.column + 1)
        if place.end_line > place.line:
            message = f"unexpected EOF in unclosed string? It begins here and ends in line {place.end_line}"
            return error(
                text.UNCLOSED_STRING, start, message, "a quote is missing in this line or in one above"
            )
        if tokens[-1].text[:1] == token.text[0]:
            message = "unexpected EOF in unclosed string"
            return error(
                text.UNCLOSED_STRING,
                start,
                message,
                "near here a quote is missing, or there is one too many",
            )
    return None


def unexpected_end(tokens: list[Token], machine: Machine, brackets: list[Token]) -> Diagnostic:
    """The file is over too early."""
    if in_route(machine):
        return unclosed_block(tokens, len(tokens) - 1)
    if brackets:
        return missing_parenthesis(brackets[-1], tokens[-1])
    message = "syntax error: the file ends in the middle of a statement"
    return error(text.UNFINISHED_FILE, tokens[-1].position, message)


def unclosed_block(tokens: list[Token], end: int) -> Diagnostic:
    """A `{` without `}`. Where the indentation of a `}` shows that it closes an outer one, it is the inner one."""
    pending: list[int] = []
    for index in range(end):
        if tokens[index].kind == "{":
            pending.append(index)
        elif tokens[index].kind == "}" and pending:
            opening, place = pending.pop(), tokens[index].position
            if begins_line(tokens, index) and place.column < _indentation(tokens, opening):
                hint = f"the '}}' in line {place.line}, by its column, closes an outer block"
                return _unclosed(tokens[opening], hint)
    opening = pending[-1] if pending else end
    found = tokens[end]
    hint = (
        f"a '}}' is missing before {_found(found)} in line {found.position.line}" if found.kind != END else ""
    )
    return _unclosed(tokens[opening], hint)


def _unclosed(opening: Token, hint: str) -> Diagnostic:
    message = "missing '}': this block is never closed"
    return error(text.UNCLOSED_BLOCK, opening.position, message, hint)


def _indentation(tokens: list[Token], index: int) -> int:
    while not begins_line(tokens, index):
        index -= 1
    return tokens[index].position.column


def wants_semicolon(before: Token, token: Token, brackets: list[Token]) -> bool:
    """Whether a `;` between the two is the likely repair: a command is complete, and another begins."""
    if not brackets or brackets[-1].kind != "{":
        return False
    if token.kind not in _COMMANDS and token.kind not in ("}", "else", "case", "default"):
        return False
    if before.kind == "WORD":
        return FIRST_NAMES.get(before.text, before.text) in BARE_COMMANDS
    return before.kind not in (";", "{", "}", ":", "else")


def missing_semicolon(before: Token) -> Diagnostic:
    """Told at the end of the command that lacks it."""
    place = before.position
    end = Position(place.file, place.end_line, place.end_column, place.end_line, place.end_column + 1)
    hint = "a command ends with ';', also before else and '}'"
    return error(text.MISSING_SEMICOLON, end, "bad command: missing ';'?", hint)


def wants_parenthesis(before: Token, token: Token, brackets: list[Token]) -> bool:
    """Whether a `)` between the two is the likely repair."""
    if not brackets or brackets[-1].kind != "(":
        return False
    new_line = token.position.line > before.position.end_line
    return token.kind in ("{", ";", "}") or (token.kind in _COMMANDS and new_line)


def missing_parenthesis(opening: Token, token: Token) -> Diagnostic:
    """Told at the bracket that is not closed."""
    closing = {"(": ")", "[": "]", "{": "}"}[opening.kind]
    where = "before the end of the file" if token.kind == END else f"before {_found(token)}"
    if token.position.line != opening.position.line and token.kind != END:
        where += f" in line {token.position.line}"
    message = f"missing '(' or ')' ? This '{opening.kind}' is never closed"
    return error(text.UNCLOSED_PARENTHESIS, opening.position, message, f"a '{closing}' is missing {where}")


# --- Anything else --------------------------------------------------------------------------------------


def explain(tokens: list[Token], index: int, machine: Machine) -> Diagnostic:
    """The mistake at a token that cannot come here."""
    nothing = Token(END, "", tokens[index].position)
    earlier, before, token, after = [*[nothing] * 2, *tokens, nothing][index : index + 4]
    if in_route(machine):
        special = _in_statement(tokens, index) or _in_block(earlier, before, token, after, machine)
    else:
        special = _outside(before, token, after, machine)
    if special:
        rule, place, message, hint = special
        return error(rule, place.position, message, hint)
    message = f"syntax error: unexpected {_found(token)}, {_expected(machine)} expected"
    return error(text.UNEXPECTED, token.position, message)


Special = tuple[ErrorRule, Token, str, str] | None
"""Which rule, where, what, and a hint."""


def _in_statement(tokens: list[Token], index: int) -> Special:
    """What the statement, as far as it was read, has of other dialects and languages."""
    start = index
    while start and tokens[start - 1].kind not in (";", "{", "}", "else") and index - start < _LONGEST:
        start -= 1
    first = tokens[start]
    if first.kind == "WORD" and (keyword := LIKE_KEYWORDS.get(first.text.lower())):
        return text.UNEXPECTED, first, f"syntax error: {first.text} is no keyword", f"write {keyword}"
    if first.kind == "WORD" and tokens[index].kind == "=" and tokens[index - 1].kind == ")":
        message = f"syntax error: {first.text}() cannot be assigned to"
        return statements.NOT_ASSIGNABLE, first, message, "a variable begins with $, such as $var(x)"
    for token in tokens[start : index + 1]:
        if token.kind == "WORD" and token.text in dialects.SYNTAX:
            return (
                statements.OTHER_DIALECT,
                token,
                f"syntax error: {token.text} is not known here",
                dialects.WORDS[token.text],
            )
    return None


def _outside(before: Token, token: Token, after: Token, machine: Machine) -> Special:
    if token.kind == "HOST" and after.kind == "=":
        return (
            statements.OTHER_DIALECT,
            token,
            f"syntax error: {token.text} is no parameter",
            dialects.SETTING,
        )
    if token.text in dialects.TOP_LEVEL:
        message = f"syntax error: {token.text} is not known here"
        return statements.OTHER_DIALECT, token, message, dialects.TOP_LEVEL[token.text]
    if token.text == "==" or (token.kind == "WORD" and after.text == "=="):
        return statements.DOUBLE_EQUALS, token, "syntax error: a parameter is set with a single '='", ""
    if not machine.accepts("loadmodule"):
        return None
    if token.kind in _COMMANDS - {"WORD"} or token.kind == "else" or after.kind in ("(", ";"):
        hint = "a '}' above may be one too many" if before.kind == "}" else ""
        return (
            statements.OUTSIDE_ROUTE,
            token,
            f"syntax error: {_found(token)} stands outside of any route",
            hint,
        )
    if token.kind != "WORD":
        return None
    if token.text.endswith("route") and after.kind in ("[", "{"):
        hint = "there are route, failure_route, onreply_route, branch_route, error_route and event_route"
        return statements.UNKNOWN_STATEMENT, token, f"syntax error: {token.text} is no kind of route", hint
    hint = did_you_mean(token.text, _TOP_LEVEL_WORDS)
    message = f"syntax error: {token.text} begins no statement; a parameter is set with '='"
    return statements.UNKNOWN_STATEMENT, token, message, hint


def _in_block(earlier: Token, before: Token, token: Token, after: Token, machine: Machine) -> Special:
    match token.kind:
        case "=" if before.kind == "WORD" and earlier.kind != "COMPARE":
            message = f"syntax error: {before.text} cannot be assigned to"
            return statements.NOT_ASSIGNABLE, before, message, f"a variable is written $var({before.text})"
        case "=":
            message = "syntax error: a single '=' assigns to a variable"
            return statements.SINGLE_EQUALS, token, message, "a comparison is written '=='"
        case "STRING" if before.kind == "STRING":
            hint = "arguments are separated by ',', strings are joined by '+'"
            return statements.STRINGS_SIDE_BY_SIDE, token, "syntax error: two strings side by side", hint
        case "STRING" if before.kind == "return":
            hint = "such as return(1) or return(-1)"
            return statements.BAD_RETURN, token, "syntax error: return takes a number", hint
        case "SIGN" | "TIMES" | "BITWISE" if earlier.kind == "return":
            hint = "assign to a $var first: return($var(x))"
            return statements.CALCULATION, token, "syntax error: return does not calculate", hint
        case "SIGN" if before.kind == "VARIABLE" and after.text == token.text:
            message = f"syntax error: {token.text}{token.text} is no operator"
            return statements.CALCULATION, token, message, dialects.STEP
        case "TIMES" if before.kind == "case":
            message = "syntax error: the label of a case is a number or a string"
            return statements.OTHER_DIALECT, token, message, dialects.LABEL
        case "," if before.kind in (",", "("):
            return statements.MISSING_ARGUMENT, token, "syntax error: an argument is missing", dialects.HOLE
        case "SIGN" | "TIMES" | "BITWISE" if machine.within("argument", "statement") == "argument":
            message = "syntax error: an argument does not calculate"
            return statements.CALCULATION, token, message, "assign to a $var first"
        case "VARIABLE" | "(" if before.kind == "SIGN":
            hint = f"write 0 {before.text} {token.text}"
            return statements.CALCULATION, before, "syntax error: only a number can have a sign", hint
        case "TIMES" if token.text == "/" in (before.text, after.text):
            place = before if before.text == "/" else token
            hint = "comments begin with '#' or '/*'"
            return text.NO_COMMENT, place, "syntax error: '//' begins no comment", hint
        case "BITWISE" if before.text == token.text:
            hint = f"write '{token.text * 2}' without a space"
            return statements.BIT_OPERATOR, before, f"syntax error: '{token.text}' twice", hint
        case "BITWISE" if token.text in "&|":
            hint = f"did you mean '{token.text * 2}'?"
            if earlier.kind == "COMPARE" and token.text == "|":
                quoted = before.text.strip("\"'")
                hint += f' alternatives are matched with =~ "{quoted}|..."'
            return (
                statements.BIT_OPERATOR,
                token,
                f"syntax error: a single '{token.text}' calculates with bits",
                hint,
            )
        case "SIGN" | "TIMES" | "BITWISE" if before.kind in _VALUES | {")", "]"}:
            hint = 'assign to a $var first; [$var(x) + 1] asks for "not zero"'
            return statements.CALCULATION, token, "syntax error: a condition does not calculate", hint
        case "OPERAND" if earlier.kind == "switch":
            message = "syntax error: a switch asks for a variable"
            return text.UNEXPECTED, token, message, f"write switch ({comparable.VARIABLES[token.text]})"
        case "[" if before.kind == "VARIABLE":
            hint = f"write $({before.text.removeprefix('$')}[{after.text}])"
            return statements.BAD_INDEX, token, "syntax error: an index needs the form $(name[index])", hint
        case "COMPARE" if earlier.kind == "COMPARE":
            hint = "join two of them with '&&'"
            return statements.COMPARED, token, "syntax error: comparisons cannot be chained", hint
        case "COMPARE" if before.kind == ")":
            message = "syntax error: a call or something in parentheses cannot be compared"
            return statements.COMPARED, token, message, "compare $retcode after a call"
        case "else":
            hint = "the ';' before it ends the if" if before.kind == ";" else ""
            return statements.STRAY_ELSE, token, "syntax error: else without if", hint
        case "case" | "default":
            return statements.STRAY_CASE, token, f"syntax error: {token.kind} outside of a switch", ""
        case "{" if machine.accepts("while"):
            message = "bad command: a block belongs to if, else, while or a route"
            return statements.STRAY_BLOCK, token, message, ""
        case kind if (
            before.kind == "WORD" and earlier.kind in _BEFORE_COMMAND and kind in _COMMANDS | _VALUES
        ):
            if before.text == "then":
                return text.UNEXPECTED, before, "syntax error: then is no keyword", "leave the word out"
            argument = token.text if kind in ("STRING", "NUMBER") else ""
            message = f"bad command: {before.text} is called without parentheses"
            return statements.MISSING_PARENTHESES, before, message, f"write {before.text}({argument})"
    return None


def _found(token: Token) -> str:
    if token.kind == END:
        return "the end of the file"
    text = token.text if len(token.text) <= 40 else token.text[:37] + "..."
    return text if text[0] in "\"'" else f"'{text}'"


def _expected(machine: Machine) -> str:
    kinds = machine.expected()
    words = []
    if "loadmodule" in kinds:
        return "a parameter, loadmodule, modparam or a route is"
    if kinds >= _COMMANDS:
        words.append("a command")
        kinds -= _COMMANDS | {";"}
    if kinds >= {"STRING", "VARIABLE"}:
        words.append("a condition" if "!" in kinds else "a value")
        kinds -= _VALUES | _COMMANDS | {"!", "(", "[", "{", "~"}
    if "NUMBER" in kinds:
        kinds -= {"SIGN"}
    for needed, word in _CLASSES.items():
        if needed in kinds:
            words.append(word)
            kinds -= {needed}
    words += sorted(f"'{kind}'" for kind in kinds if kind != END)
    words = list(dict.fromkeys(words))
    if len(words) == 1:
        return f"{words[0]} is"
    return f"{', '.join(words[:-1])} or {words[-1]} is"


_CLASSES = {
    "STRING": "a string",
    "NUMBER": "a number",
    "VARIABLE": "a variable",
    "WORD": "a name",
    "HOST": "a name",
    "NETWORK": "an address",
    "OPERAND": "an operand",
    "COMPARE": "a comparison",
    "SIGN": "an operator",
    "TIMES": "an operator",
    "BITWISE": "an operator",
    "ASSIGN": "an assignment",
    "PARAMETER": "a parameter",
    "SOCKETS": "listen",
    "ROUTE": "a route",
    "SPECIAL_ROUTE": "a route",
    "TLS_DOMAIN": "a TLS domain",
}
