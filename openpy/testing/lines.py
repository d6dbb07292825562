"""The lines of a script that can run, and the ways between them: what coverage is measured against.

Rules:
1. A line is known by the statements that begin on it. What goes on below (a condition on three lines, the arguments of
   a call) belongs to the line where the statement begins.
2. A way is a pair of lines; to leave a route is to go to the negative number of its first line, as coverage.py has it.
3. A branch is a line with two ways out of it: `if`, `while`, and each `case` of a `switch`, which are asked one after
   the other. That any call may end the script, by returning 0, makes no branch; and a line on which several statements
   go different ways is none: nobody could tell which of them went.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from openpy.script.callgraph import routes_of
from openpy.script.syntax import (
    Block,
    Break,
    Drop,
    Empty,
    Exit,
    If,
    Return,
    Route,
    Script,
    Statement,
    Switch,
    While,
)
from openpy.script.traversal import chained_if

Way = tuple[int, int]


class ScriptLines:
    """The lines and ways of a script."""

    def __init__(self, script: Script) -> None:
        self.lines: set[int] = set()
        """The lines on which statements begin."""
        self.ways: set[Way] = set()
        self.routes: list[tuple[Route, set[int]]] = []
        """Each route with its lines."""
        self._continued: dict[int, int] = {}
        self._after: dict[int, int] = {}
        self._asked: dict[Way, list[Way]] = {}
        for route in routes_of(script):
            before = set(self.lines)
            _RouteReader(self, route)
            self.routes.append((route, self.lines - before))

    def begin_of(self, line: int) -> int | None:
        """The line where the statement began that is on a line; None: there is none."""
        return line if line in self.lines else self._continued.get(line)

    def exits(self) -> dict[int, int]:
        """How many ways lead out of each line, where they are told apart."""
        return {
            line: count for line, count in Counter(source for source, _ in self.ways).items() if count <= 2
        }

    def completed(self, ways: Iterable[Way]) -> set[Way]:
        """The ways that were gone, of those that were seen.

        From a `switch` the code goes at once to the case that matches, which stands for the way along the cases. Where
        deep nesting was cut, the code ends, and goes on after what is around it.
        """
        gone: set[Way] = set()
        for source, target in ways:
            if (source, target) in self._asked:
                gone.update(self._asked[source, target])
            elif target < 0 and (source, target) not in self.ways and source in self._after:
                gone.add((source, self._after[source]))
            elif source != target:
                gone.add((source, target))
        return gone

    def add(self, node: Statement, last: int, after: int) -> int:
        """A statement whose text ends on a line, and the line after it; the line that it begins on."""
        line = node.position.line
        self.lines.add(line)
        self._after[line] = after
        for further in range(line + 1, last + 1):
            self._continued.setdefault(further, line)
        return line

    def connect(self, source: int, *targets: int) -> None:
        """There are ways from one line to others."""
        self.ways.update((source, target) for target in targets if target != source)

    def ask(self, line: int, cases: Sequence[Way], otherwise: int) -> None:
        """There are ways from a `switch` along its cases, each with its own first line, to where it goes otherwise."""
        along: list[Way] = []
        before = line
        for label, entry in cases:
            along += [(before, label)] * (before != label)
            here = [*along, (label, entry)] if label != entry else list(along)
            self._asked.setdefault((line, entry), here)
            before = label
        along += [(before, otherwise)] * (before != otherwise)
        self._asked.setdefault((line, otherwise), along)
        for ways in self._asked.values():
            self.ways.update(ways)


class _RouteReader:
    """Reads one route, from its end to its beginning: so the line that comes next is known."""

    def __init__(self, found: ScriptLines, route: Route) -> None:
        self._found = found
        self._left = -route.position.line
        self._block(route.body.statements, self._left, self._left)

    def _block(self, nodes: Sequence[Statement], after: int, broken: int) -> int:
        """Statements in a row; the first line of them. `after` comes next, `broken` after a `break`."""
        for node in reversed(nodes):
            after = self._statement(node, after, broken)
        return after

    def _statement(self, node: Statement, after: int, broken: int) -> int:
        found = self._found
        match node:
            case Empty():
                return after
            case Block(statements=statements):
                return self._block(statements, after, broken)
            case If():
                return self._if(node, after, broken)
            case While():
                line = found.add(node, node.condition.position.end_line, after)
                found.connect(line, self._block(node.body.statements, line, after), after)
            case Switch():
                return self._switch(node, after)
            case Return() | Exit() | Drop():
                line = found.add(node, node.position.end_line, after)
                found.connect(line, self._left)
            case Break():
                line = found.add(node, node.position.end_line, after)
                found.connect(line, broken)
            case _:
                line = found.add(node, node.position.end_line, after)
                found.connect(line, after)
        return line

    def _if(self, node: If, after: int, broken: int) -> int:
        """An `if` with all its `else if`."""
        links = [node]
        while (following := chained_if(links[-1].otherwise)) is not None:
            links.append(following)
        last = links[-1].otherwise
        otherwise = after if last is None else self._block(last.statements, after, broken)
        for link in reversed(links):
            line = self._found.add(link, link.condition.position.end_line, after)
            self._found.connect(line, self._block(link.body.statements, after, broken), otherwise)
            otherwise = line
        return otherwise

    def _switch(self, node: Switch, after: int) -> int:
        line = self._found.add(node, node.subject.position.end_line, after)
        following = otherwise = after
        cases: list[Way] = []
        for case in reversed(node.cases):
            following = self._block(case.statements, after if case.breaks else following, after)
            if case.label is None:
                otherwise = following
            else:
                cases.insert(0, (case.position.line, following))
        entries = [entry for _, entry in cases]
        told_apart = [
            (label, entry)
            for number, (label, entry) in enumerate(cases)
            if entry not in entries[:number] and entry != otherwise
        ]
        self._found.ask(line, told_apart, otherwise)
        return line
