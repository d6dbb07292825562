"""Management requests and replies as text, for every transport that writes them in lines (1.3: FIFO and datagram).

    :command:reply place         code reason
    name::value                  name:: value attribute=value
    value                        <indent>name:: value          (a child)
    "quoted value"

Rules:
1. A value in quotes may span lines; within it `\\"` is a quote. A quote elsewhere is an error, and so is text after
   the closing one.
2. What stands before `::` is a name only if it holds no further colon and no quote: `sip:a@[2001:db8::1]` is a value.
3. Lines of blanks only are passed over. What ends a request is the transport's rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openpy.engine.mi import Node, Reply

BLANKS = " \t\r\n"

FAILED = "500 command '{}' failed\n"
NOT_AVAILABLE = "500 command '{}' not available\n"
PARSE_ERROR = "400 parse error in command '{}'\n"


class MalformedRequest(Exception):
    """Text that is no request; says why."""


def parse_command_line(line: str) -> tuple[str, str]:
    """Take `:command:place` apart; the place may be empty. Raises MalformedRequest."""
    line = line.rstrip(BLANKS)
    if len(line) < 3 or not line.startswith(":"):
        raise MalformedRequest("a request begins with :command:")
    command, separator, place = line[1:].partition(":")
    if not separator:
        raise MalformedRequest("the second colon is missing")
    if not command:
        raise MalformedRequest("the command's name is empty")
    return command, place


class ParameterReader:
    """Reads the parameters of one request, line by line, into `nodes`."""

    __slots__ = ("_name", "_quoted", "nodes")

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._name = ""
        self._quoted: list[str] | None = None

    @property
    def in_quotes(self) -> bool:
        """Whether the next line continues a value."""
        return self._quoted is not None

    def add(self, line: str) -> None:
        """Read one line, with its line end; raises MalformedRequest."""
        if self._quoted is not None:
            self._continue(line, self._quoted)
            return
        text = line.strip(BLANKS)
        if not text:
            return
        name, separator, value = text.partition("::")
        if separator and ":" not in name and '"' not in name:
            text = value.lstrip(BLANKS)
        else:
            name = ""
        if text.startswith('"'):
            self._name = name
            self._continue(line[line.index('"') + 1 :], [])
        elif '"' in text:
            raise MalformedRequest("a quote inside a value")
        else:
            self.nodes.append(Node(name, text))

    def _continue(self, text: str, before: list[str]) -> None:
        """Read on within quotes."""
        end = _closing_quote(text)
        if end < 0:
            before.append(text)
            self._quoted = before
            return
        if text[end + 1 :].strip(BLANKS):
            raise MalformedRequest("text after the closing quote")
        before.append(text[:end])
        self.nodes.append(Node(self._name, "".join(before).replace('\\"', '"')))
        self._quoted = None


def request_text(command: str, place: str, parameters: Sequence[str]) -> str:
    """A request as a client writes it, up to the empty line that ends it on a FIFO; every value in quotes."""
    quoted = (value.replace('"', '\\"') for value in parameters)
    return f":{command}:{place}\n" + "".join(f'"{value}"\n' for value in quoted) + "\n"


def reply_text(reply: Reply, indent: str = "\t") -> str:
    """A reply, without the empty line that ends it on a FIFO."""
    return "".join([f"{reply.code} {reply.reason}\n", *_lines(reply.nodes, indent, "")])


def _lines(nodes: Sequence[Node], indent: str, before: str) -> Iterator[str]:
    for node in nodes:
        name = f"{node.name}:: " if node.name else ""
        attributes = "".join(f" {key}={value}" for key, value in node.attributes.items())
        yield f"{before}{name}{node.value or ''}{attributes}\n"
        yield from _lines(node.children, indent, before + indent)


def _closing_quote(text: str) -> int:
    """Where the first quote is that no backslash precedes; -1 if there is none."""
    end = text.find('"')
    while end > 0 and text[end - 1] == "\\":
        end = text.find('"', end + 1)
    return end
