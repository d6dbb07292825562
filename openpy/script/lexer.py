"""Text to tokens.

Rules:
1. A token's `kind` is its own text (`if`, `(`, `&&`) or the name of a class in capitals (WORD, STRING);
   the grammar uses the same names.
2. White space and newlines separate tokens and mean nothing else. `/* */` nests; `#` ends with its line.
3. `$name` runs to white space or an operator, `$name(...)` and `$(...)` to the balancing parenthesis.
4. A host may be made of anything (`sip.log.com`, `3com.com`), an address takes its mask with it
   (`10.0.0.0/8`, `[::1]`): each is one token.
5. Like 1.3, a character that belongs to no token is skipped; unlike 1.3, with a warning.
6. A line that begins with `#!` and one of `DIRECTIVE_WORDS` is one DIRECTIVE, for `preprocessor`; others are comments.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterator

from openpy.script.diagnostics import Diagnostic, error, warning
from openpy.script.dialects import DIRECTIVES
from openpy.script.rules import text as rules
from openpy.script.syntax import Position

END = "$END"

DIRECTIVE = "$DIRECTIVE"
"""A line for the preprocessor; the text is what stands behind `#!`."""

COMMENT = "$COMMENT"
"""A comment as written, or a character that means nothing; the parser gets none of them."""

_words = str.split

KEYWORDS: dict[str, str] = {
    **{
        word: word
        for word in _words(
            "if else while switch case default return exit drop break"
            " loadmodule modparam dst_blacklist myself NULL"
        )
    },
    "esac": "break",
    "null": "NULL",
    "and": "&&",
    "or": "||",
    "not": "!",
    "listen": "SOCKETS",
    "alias": "SOCKETS",
    "route": "ROUTE",
    **dict.fromkeys(
        _words("request_route failure_route onreply_route reply_route branch_route error_route event_route"),
        "SPECIAL_ROUTE",
    ),
    **dict.fromkeys(("tls_server_domain", "tls_client_domain"), "TLS_DOMAIN"),
    **dict.fromkeys(
        _words("method uri status from_uri to_uri src_ip src_port dst_ip dst_port proto af"), "OPERAND"
    ),
    **dict.fromkeys(_words("yes true on enable no false off disable"), "NUMBER"),
}
"""Words that are not plain: what kind of token each one is."""

_OPERATORS: dict[str, str] = {
    **dict.fromkeys(_words("== != < > <= >= =~ !~"), "COMPARE"),
    **dict.fromkeys(_words(":= += -= *= /= %= &= |= ^="), "ASSIGN"),
    **dict.fromkeys("+-", "SIGN"),
    **dict.fromkeys("*/%", "TIMES"),
    **dict.fromkeys("&|^", "BITWISE"),
}

DIRECTIVE_WORDS = _words(
    "define trydef redefine ifdef ifndef else endif subst substdef substdefs include_file import_file"
)
"""What makes a line a directive, beside the words that only other dialects have."""

_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)"
_IPV6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"
_IP = rf"(?:{_IPV4}|\[{_IPV6}\]|{_IPV6})"
_TOKEN = re.compile(
    rf"""
    (?P<blank> [ \t\r\n\f\v\x08]+ | \\\r?\n )
  | (?P<line> \#[^\n]* )
  | (?P<comment> /\* )
  | (?P<string> "[^"\\]*(?:\\.[^"\\]*)*" | '[^']*' )
  | (?P<quote> ["'] )
  | (?P<variable> \$ [^\s;()=!~+\-*/%&|^<>,\[\]{{}}"']* | @[A-Za-z_][\w.]* )
  | (?P<network> {_IP} (?: [ \t]*/[ \t]* (?: {_IP} | \d+ ) )? )
  | (?P<length> msg:len\b )
  | (?P<word> \w+ (?: (?:\.|-+) \w+ )* )
  | (?P<operator> [=!]~ | [=!<>:+\-*/%&|^]= | && | \|\| | [=<>!~+\-*/%&|^(){{}}\[\],;:.] )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_DIRECTIVE = re.compile(rf"#!((?:{'|'.join((*DIRECTIVE_WORDS, *DIRECTIVES))})(?!\w)(?:\\\r?\n|[^\n])*)")
_MOST_TOLD = 1000
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_PARENTHESIS = re.compile(r"[()\n]")
_PART = re.compile(r"\w+|.", re.ASCII)
_UNCLOSED_NAME = re.compile(r"[^\s;=!<>~,{}\"']*")
_TRANSFORMATIONS = re.compile(r"(?:\{\w+\.[^{}\n]*\})+")


class Token:
    """One token: its kind, its text as written, its place."""

    __slots__ = ("kind", "position", "text")

    def __init__(self, kind: str, text: str, position: Position) -> None:
        self.kind = kind
        self.text = text
        self.position = position

    def __repr__(self) -> str:
        return f"Token({self.kind!r}, {self.text!r})"


def begins_line(tokens: list[Token], index: int) -> bool:
    """Whether a token is the first of its line."""
    if index == 0:
        return True
    before, place = tokens[index - 1].position, tokens[index].position
    return before.end_line < place.line or before.file != place.file


class SourceText:
    """The text of a script and the places in it."""

    def __init__(self, text: str, file: str, begin: Position | None = None) -> None:
        """`begin` is where the text begins, if it is a part of a file."""
        self.text = text
        self.file = file
        self._line = 0 if begin is None else begin.line - 1
        first = 0 if begin is None else 1 - begin.column
        self._starts = [first, *(match.end() for match in re.finditer("\n", text))]

    def offset(self, line: int, column: int) -> int:
        """Where in the text a line and column are."""
        return self._starts[line - 1 - self._line] + column - 1

    def position(self, start: int, end: int) -> Position:
        """The place of `text[start:end]`."""
        starts, above = self._starts, self._line
        line = bisect_right(starts, start)
        if line == len(starts) or end < starts[line]:
            origin = starts[line - 1] - 1
            line += above
            return Position(self.file, line, start - origin, line, end - origin)
        end_line = bisect_right(starts, end)
        first, last = start - starts[line - 1] + 1, end - starts[end_line - 1] + 1
        return Position(self.file, line + above, first, end_line + above, last)


def tokenize(source: SourceText) -> tuple[list[Token], list[Diagnostic]]:
    """All tokens, and what was wrong. END comes last; its text is the string or comment that was never closed."""
    found: list[Diagnostic] = []
    return list(scan(source, found)), found


def scan(
    source: SourceText, found: list[Diagnostic], start: int = 0, *, comments: bool = False
) -> Iterator[Token]:
    """The tokens from an offset on, with the comments if asked for; `found` collects what is wrong."""
    text = source.text
    position = source.position
    match_at = _TOKEN.match
    while match := match_at(text, start):
        group = match.lastgroup
        end = match.end()
        if group == "blank":
            pass
        elif group == "line":
            directive = _DIRECTIVE.match(text, start) if text.startswith("#!", start) else None
            if directive and not text[text.rfind("\n", 0, start) + 1 : start].strip():
                end = directive.end()
                yield Token(DIRECTIVE, directive.group(1).rstrip(), position(start, end))
            elif comments:
                yield Token(COMMENT, match.group().rstrip(), position(start, end))
        elif group == "operator":
            operator = match.group()
            yield Token(_OPERATORS.get(operator, operator), operator, position(start, end))
        elif group == "word":
            word = match.group()
            kind = KEYWORDS.get(word)
            if kind is None:
                kind, end = _plain_word(word, start, end)
            yield Token(kind, text[start:end], position(start, end))
        elif group == "string":
            yield Token("STRING", match.group(), position(start, end))
        elif group == "variable":
            end, mistake = _variable_end(text, end)
            where = position(start, end)
            if mistake:
                _tell(found, error(rules.BAD_VARIABLE, where, mistake))
            elif end == start + 1:
                _tell(found, error(rules.BAD_VARIABLE, where, "a name is missing after '$'"))
            yield Token("VARIABLE", text[start:end], where)
        elif group == "network":
            network = re.sub(r"[ \t]", "", match.group())
            mistake = _network_mistake(network)
            if mistake and ":" in network.partition("/")[0]:  # no address after all, but words and colons
                follower, end = _first_part(text, start)
                yield Token(follower, text[start:end], position(start, end))
            else:
                if mistake:
                    _tell(found, error(rules.BAD_ADDRESS, position(start, end), mistake))
                yield Token("NETWORK", network, position(start, end))
        elif group == "length":
            yield Token("OPERAND", "msg:len", position(start, end))
        elif group == "comment":
            end = _comment_end(text, start)
            if end < 0:
                message = "unexpected EOF: the comment that begins here is never closed"
                hint = "comments nest: each /* needs its own */"
                _tell(found, error(rules.UNCLOSED_COMMENT, position(start, start + 2), message, hint))
                break
            if comments:
                yield Token(COMMENT, text[start:end], position(start, end))
        elif group == "quote":
            message = "unexpected EOF in unclosed string that begins here"
            hint = "close it with the quote that opens it"
            _tell(found, error(rules.UNCLOSED_STRING, position(start, end), message, hint))
            break
        else:
            message = f"the {_shown(match.group())} means nothing here and is skipped"
            _tell(found, warning(rules.SKIPPED_CHARACTER, position(start, end), message))
            if comments:
                yield Token(COMMENT, match.group(), position(start, end))
        start = end
    end = len(text.rstrip())
    yield Token(END, text[start:], position(end, end))


def _tell(found: list[Diagnostic], diagnostic: Diagnostic) -> None:
    """Nobody reads more than so many, and a large file of rubbish would fill the memory with them."""
    if len(found) < _MOST_TOLD:
        found.append(diagnostic)


def _plain_word(word: str, start: int, end: int) -> tuple[str, int]:
    """What a word that is no keyword is, and where it ends: numbers and `case` do not reach over a `-`."""
    head, dash, _ = word.partition("-")
    if dash and "." not in word and (head.isdigit() or head == "case"):
        return ("NUMBER" if head.isdigit() else "case"), start + len(head)
    if "." in word or dash:
        return "HOST", end
    if word[0].isdigit():
        return ("NUMBER" if word.isdigit() or word[:2] == "0x" else "HOST"), end
    return "WORD", end


def _first_part(text: str, start: int) -> tuple[str, int]:
    """The word or colon at the start of what only looked like an IPv6 address."""
    match = _PART.match(text, start)
    assert match is not None
    word = match.group()
    if not word[0].isalnum():
        return word, match.end()
    return KEYWORDS.get(word) or _plain_word(word, start, match.end())[0], match.end()


def _variable_end(text: str, end: int) -> tuple[int, str]:
    """Where the variable whose name ends at `end` is over, and what is wrong with it."""
    if text.startswith("(", end):
        depth = 0
        for edge in _PARENTHESIS.finditer(text, end):
            if edge.group() == "\n":
                break
            depth += 1 if edge.group() == "(" else -1
            if depth == 0:
                return edge.end(), ""
        return _UNCLOSED_NAME.match(text, end).end(), "the '(' of this variable is never closed"  # type: ignore[union-attr]
    if match := _TRANSFORMATIONS.match(text, end):  # kept with the name, so that its message can be exact
        return match.end(), ""
    return end, ""


def _shown(character: str) -> str:
    """`character '?'`; what is no UTF-8 comes as a lone surrogate, and is shown as the byte that it was."""
    is_byte = "\udc80" <= character <= "\udcff"
    return f"byte 0x{ord(character) - 0xDC00:02x}" if is_byte else f"character {character!r}"


def _comment_end(text: str, start: int) -> int:
    depth = 0
    for match in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return -1


def _network_mistake(network: str) -> str:
    address, _, mask = network.partition("/")
    address, mask = address.strip("[]"), mask.strip("[]")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"invalid {'IPv6' if ':' in address else 'IPv4'} address {address}"
    if not mask:
        return ""
    if mask.isdigit():
        return (
            ""
            if len(mask) < 4 and int(mask) <= parsed.max_prefixlen
            else f"invalid number of bits in netmask {mask}"
        )
    try:
        same = ipaddress.ip_address(mask).version == parsed.version
    except ValueError:
        same = False
    return "" if same else f"invalid netmask {mask}"
