"""Management commands: how they are declared, called and answered. How requests come in is a transport's business.

Rules:
1. A command is a method marked `@mi_command`; its parameters are annotated `str` or `int` and given by position,
   as 1.3 reads them: a name that stands before a value is for people.
2. It returns a Reply, or None for `200 OK` without more. It raises MiError to answer with another code, and
   CommandFailed where 1.3 has no text of its own: the transport then says `500 command 'x' failed`.
3. Any other exception is a mistake of ours: it is reported, and the command has failed.
4. A command without parameters takes no input: whatever a request carries is skipped.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from openpy.engine.log import Log
from openpy.engine.signatures import signature_of
from openpy.engine.waiting import Stepper, Wait

Refusal = tuple[int, str] | None
"""How a command refuses its parameters: code and reason, or None for `failed`."""

ARGUMENTS: Refusal = (400, "Too few or too many arguments")
BAD_PARAMETER: Refusal = (400, "Bad parameter")
FAILED: Refusal = None

LONGEST_NUMBER = 10  # digits: 32 bits


class MiError(Exception):
    """The answer of a command that did not do what was asked: a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class CommandFailed(Exception):
    """A command that failed in a way that 1.3 has no answer for; the text is for the log ("": nothing is logged)."""


# --- the tree -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Node:
    """One node of a request or a reply; `value` None: there is none, which is not the same as an empty one."""

    name: str = ""
    value: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    def add(self, name: str = "", value: str | None = None, **attributes: str) -> Node:
        """Add a child and return it."""
        child = Node(name, value, attributes)
        self.children.append(child)
        return child


@dataclass(slots=True)
class Reply:
    """The answer of a command."""

    code: int = 200
    reason: str = "OK"
    nodes: list[Node] = field(default_factory=list)

    def add(self, name: str = "", value: str | None = None, **attributes: str) -> Node:
        """Add a node and return it."""
        node = Node(name, value, attributes)
        self.nodes.append(node)
        return node


# --- declaration --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Declaration:
    name: str
    too_few: Refusal
    too_many: Refusal
    no_number: Refusal


def mi_command(
    name: str,
    *,
    too_few: Refusal = ARGUMENTS,
    too_many: Refusal = ARGUMENTS,
    no_number: Refusal = BAD_PARAMETER,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Export a method, plain or async, as a management command.

    The refusals are the answers to too few parameters, to too many, and to text where an `int` is wanted.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__dict__["mi_command"] = _Declaration(name, too_few, too_many, no_number)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class CommandParameter:
    """One parameter; the last may be `repeated` (none or more values)."""

    name: str
    type: type[str] | type[int]
    optional: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command, bound to what executes it."""

    declaration: _Declaration
    function: Callable[..., Any]
    parameters: tuple[CommandParameter, ...]
    group: str
    doc: str

    @property
    def name(self) -> str:
        """What requests call it."""
        return self.declaration.name

    @property
    def takes_input(self) -> bool:
        """Whether it reads what a request carries."""
        return bool(self.parameters)

    def call(self, nodes: Sequence[Node]) -> Any:
        """Call the function, which may give a coroutine; raises what it raises, MiError or CommandFailed."""
        return self.function(*self._arguments(nodes))

    def _arguments(self, nodes: Sequence[Node]) -> Iterator[str | int]:
        if not self.takes_input:
            return
        repeated = self.parameters[-1] if self.parameters[-1].repeated else None
        single = self.parameters[:-1] if repeated else self.parameters
        if len(nodes) < sum(not parameter.optional for parameter in single):
            raise _refused(self.declaration.too_few, "too few parameters")
        if repeated is None and len(nodes) > len(single):
            raise _refused(self.declaration.too_many, "too many parameters")
        for number, node in enumerate(nodes):
            parameter = single[number] if number < len(single) else self.parameters[-1]
            yield self._converted(parameter, node.value or "")

    def _converted(self, parameter: CommandParameter, text: str) -> str | int:
        if parameter.type is str:
            return text
        digits = text[1:] if text[:1] in ("-", "+") else text
        if not (digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_NUMBER):
            raise _refused(self.declaration.no_number, f"{parameter.name} is not a number")
        return int(text)


def declared_commands(owner: object, group: str) -> Iterator[Command]:
    """The commands that an object's class declares, in order; raises TypeError for an annotation that is no kind."""
    declared: dict[str, Any] = {}
    for base in reversed(type(owner).__mro__):
        declared.update(vars(base))
    for key, item in declared.items():
        declaration: _Declaration | None = getattr(item, "mi_command", None)
        if declaration is not None:
            doc = inspect.getdoc(item) or ""
            yield Command(declaration, getattr(owner, key), tuple(_parameters(item)), group, doc)


def _parameters(function: Callable[..., Any]) -> Iterator[CommandParameter]:
    for parameter in list(signature_of(function).parameters.values())[1:]:
        kinds = {*(get_args(parameter.annotation) or (parameter.annotation,))} - {type(None)}
        if kinds not in ({str}, {int}):
            raise TypeError(f"{parameter.name} of {function.__qualname__} is neither str nor int")
        optional = parameter.default is not inspect.Parameter.empty
        repeated = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        yield CommandParameter(parameter.name, kinds.pop(), optional, repeated)


def _refused(refusal: Refusal, why: str) -> Exception:
    return CommandFailed(why) if refusal is None else MiError(*refusal)


# --- execution ----------------------------------------------------------------------------------------------------


class Commands:
    """All commands of a server by name, in order of registration."""

    def __init__(self, log: Log, report: Callable[[BaseException], None]) -> None:
        self._log = log
        self._report = report
        self._commands: dict[str, Command] = {}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def add(self, command: Command) -> bool:
        """Register a command; False if its name is taken."""
        return self._commands.setdefault(command.name, command) is command

    def remove(self, group: str) -> None:
        """Forget the commands of a group."""
        for name in [command.name for command in self if command.group == group]:
            del self._commands[name]

    def find(self, name: str) -> Command | None:
        """The command of that name; upper and lower case differ."""
        return self._commands.get(name)

    def run(self, command: Command, nodes: Sequence[Node]) -> Wait[Reply | None]:
        """Run a command; the reply is there at once unless it waits for something. None: it has failed."""
        answer: Wait[Reply | None] = Wait()

        def finished(reply: Reply | None, error: BaseException | None) -> None:
            answer.resolve((reply or Reply()) if error is None else self._answer_to(command, error))

        try:
            result = command.call(nodes)
        except Exception as error:  # noqa: BLE001 - rule 3
            finished(None, error)
        else:
            if inspect.iscoroutine(result):
                Stepper(result, finished).step()
            else:
                finished(result, None)
        return answer

    def _answer_to(self, command: Command, error: BaseException) -> Reply | None:
        if isinstance(error, MiError):
            return Reply(error.code, error.reason)
        if not isinstance(error, CommandFailed):
            self._report(error)
        elif str(error):
            self._log.warning("mi", f"{command.name}: {error}")
        return None
