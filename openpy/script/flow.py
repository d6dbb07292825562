"""One route, as requests of all methods come through it: which are answered where, and which way out they take.

Rules:
1. A route is looked at once, for all methods, as if nothing had been answered before. What becomes of a method in it
   does not depend on other methods, so whoever calls the route takes from its `Summary` the methods that he has.
2. What is not known counts as answered, and as an end: a function that does not say what it does, routes that call
   each other in circles. Only what is sure is told.
3. Two sends are one too many if no way leads to the second but through the first (`sure`), or if every way from the
   first leads to the second (`bound`); two conditions that may exclude each other say nothing.
4. A loop is gone through once: what a second round could add to the sets of methods, the first has added.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from openpy.script.callgraph import RouteKey
from openpy.script.diagnostics import Diagnostic, warning
from openpy.script.environment import Effect, Environment
from openpy.script.flowstate import (
    MOST_BOUND,
    NOWHERE,
    Leaving,
    Outcome,
    Passing,
    State,
    Summary,
    join,
    through,
)
from openpy.script.literals import text_of
from openpy.script.methods import MethodSets, Split
from openpy.script.misfits import METHODS, shown
from openpy.script.rules import ways as rules
from openpy.script.syntax import (
    And,
    Assignment,
    Block,
    Break,
    Call,
    Comparison,
    Drop,
    Empty,
    Exit,
    Expression,
    If,
    Name,
    Not,
    Number,
    Or,
    Return,
    Route,
    RouteCall,
    RouteKind,
    Statement,
    String,
    Switch,
    While,
)
from openpy.script.traversal import chained_if, walk

_MEANT_TO_WORK = (Effect.REPLIES, Effect.BEGINS)
"""What a script calls without asking for the code, because it does not count on a failure."""


@dataclass(slots=True)
class Ways:
    """What is known of all routes; the summary of one that was not gone through yet is None."""

    environment: Environment
    methods: MethodSets
    summaries: dict[RouteKey, Summary | None]
    found: list[Diagnostic] = field(default_factory=list)
    told: set[int] = field(default_factory=set)  # replies, by identity, that are told to come too early


class RouteFlow:
    """Goes through one route."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._methods = ways.methods
        self._summary = Summary()
        self._over = NOWHERE  # all states in which a way through the route ends
        self._left = 0  # how many ways have ended so far: what is bound to come is so no more
        self._breaks: list[State] = []  # of each loop and switch around

    def run(self, route: Route) -> Summary:
        """Go through the route."""
        summary = self._summary
        end = self._block(route.body.statements, State(True, self._methods.all))
        summary.end = end
        self._return(end, None)
        summary.tried = self._over.tried
        return summary

    # --- statements ---------------------------------------------------------------------------------------

    def _block(self, nodes: tuple[Statement, ...], state: State) -> State:
        before: Statement | None = None
        for node in nodes:
            if isinstance(node, Empty):
                continue
            if not state.alive:
                if before is not None:
                    self._never_run(node, before)
                break
            state = self._statement(node, state)
            before = node
        return state

    def _statement(self, node: Statement, state: State) -> State:
        match node:
            case Call():
                yes, no = self._call(node, state)
                return yes if self._effect(node) in _MEANT_TO_WORK else join(yes, no)
            case RouteCall():
                return join(*self._route(node, state))
            case Assignment(value=value):
                return self._value(value, state)
            case Block(statements=statements):
                return self._block(statements, state)
            case If():
                return self._branched(state, self._if(node, state))
            case While():
                return self._branched(state, self._while(node, state))
            case Switch():
                return self._branched(state, self._switch(node, state))
            case Return(value=0) | Exit():
                self._summary.exits.append(Leaving(node.position, state.waiting, state.answered))
                return self._end(state)
            case Drop():
                return self._end(state)
            case Return(value=value):
                self._summary.returns.append(Leaving(node.position, state.waiting, state.answered))
                self._return(state, value if isinstance(value, int) else None)
            case Break() if self._breaks:
                self._breaks[-1] = join(self._breaks[-1], state)
            case Break():
                self._return(state, 1)
            case Empty():
                return state
        self._left += 1
        return NOWHERE

    def _end(self, state: State) -> State:
        """The script ends."""
        self._summary.ends = True
        self._over = join(self._over, state)
        self._left += 1
        return NOWHERE

    def _return(self, state: State, code: int | None) -> None:
        """The route ends, with a code that is known or not."""
        self._over = join(self._over, state)
        if code is None or code > 0:
            self._summary.true = join(self._summary.true, state)
        if code is None or code < 0:
            self._summary.false = join(self._summary.false, state)

    def _branched(self, before: State, branches: tuple[int, State]) -> State:
        """Behind branches; what was bound to come here still is, if none of them has ended."""
        left, after = branches
        if left == self._left and after.alive:
            after = after._replace(bound=(before.bound + after.bound)[:MOST_BOUND])
        return after

    def _if(self, node: If, state: State) -> tuple[int, State]:
        left, after = self._left, NOWHERE
        while True:
            yes, no = self._condition(node.condition, state)
            after = join(after, self._block(node.body.statements, yes))
            following = chained_if(node.otherwise)
            if following is None:
                otherwise = () if node.otherwise is None else node.otherwise.statements
                return left, join(after, self._block(otherwise, no))
            node, state = following, no

    def _while(self, node: While, state: State) -> tuple[int, State]:
        left = self._left
        self._breaks.append(NOWHERE)
        yes, no = self._condition(node.condition, state)
        after = join(no, self._block(node.body.statements, yes))
        return left, join(after, self._breaks.pop())._replace(bound=())

    def _switch(self, node: Switch, state: State) -> tuple[int, State]:
        left = self._left
        state = rest = state._replace(bound=())
        fallen = after = NOWHERE
        self._breaks.append(NOWHERE)
        for case in node.cases:
            entered = rest
            if case.label is not None:
                yes, no = self._among(shown(node.subject), case.label)
                entered, rest = state.only(yes), rest.only(no)
            else:
                rest = NOWHERE
            fallen = self._block(case.statements, join(fallen, entered))
            if case.breaks:
                after, fallen = join(after, fallen), NOWHERE
        return left, join(join(after, fallen), join(rest, self._breaks.pop()))

    def _never_run(self, node: Statement, before: Statement) -> None:
        """Tell what no way leads to; an `exit` behind what has ended on every way is only careful."""
        jumps = (Exit, Drop, Return, Break)
        match before:
            case Exit() | Drop() | Return() | Break():
                what = f"{type(before).__name__.lower()} stands before it"
            case _ if isinstance(node, jumps):
                return
            case RouteCall(name=name):
                what = f"every way through route({name}) ends the script"
            case Call(name=name):
                what = f"{name}() ends the script"
            case _:
                what = "every way before it ends"
        self._ways.found.append(warning(rules.NEVER_RUN, node.position, f"this is never run: {what}"))

    # --- conditions ---------------------------------------------------------------------------------------

    def _condition(self, node: Expression, state: State) -> Outcome:
        steps: list[And | Or] = []
        while isinstance(node, And | Or):
            steps.append(node)
            node = node.left
        yes, no = (outcome.without(state.bound) for outcome in self._element(node, state))
        for step in reversed(steps):
            if isinstance(step, And):
                yes, failed = self._condition(step.right, yes)
                no = join(no, failed)
            else:
                more, no = self._condition(step.right, no)
                yes = join(yes, more)
        return yes, no

    def _element(self, node: Expression, state: State) -> Outcome:
        match node:
            case Not(operand=operand):
                yes, no = self._condition(operand, state)
                return no, yes
            case Comparison(left=left, operator=operator, right=String() | Name() as right):
                equal, different = self._compared(shown(left), operator, right)
                return state.only(equal), state.only(different)
            case Call():
                return self._call(node, state)
            case RouteCall():
                return self._route(node, state)
            case Return() | Exit() | Drop() | If() | Block():
                state = self._block((node,), state)
            case _:
                state = self._value(node, state)
        return state, state

    def _compared(self, left: str, operator: str, right: String | Name) -> Split:
        text = text_of(right)
        match operator if left in METHODS else "":
            case "==":
                return self._methods.among([text])
            case "!=":
                return self._methods.among([text])[::-1]
            case "=~":
                return self._methods.matching(text)
            case "!~":
                return self._methods.matching(text)[::-1]
        return self._methods.all, self._methods.all

    def _among(self, subject: str, label: Number | String) -> Split:
        if subject in METHODS and isinstance(label, String):
            return self._methods.among([label.value])
        return self._methods.all, self._methods.all

    def _value(self, node: Expression, state: State) -> State:
        """The calls in a value."""
        for part in walk(node):
            if isinstance(part, Call | RouteCall):
                state = self._statement(part, state)
        return state

    # --- calls --------------------------------------------------------------------------------------------

    def _effect(self, node: Call) -> Effect:
        function = self._ways.environment.function(node.name, len(node.arguments))
        return Effect.UNSAID if function is None else function.effect

    def _call(self, node: Call, state: State) -> Outcome:
        if not state.alive:
            return state, state
        effect = self._effect(node)
        match effect:
            case Effect.NONE:
                return state, state
            case Effect.TESTS_METHOD:
                yes, no = self._methods.among(text_of(node.arguments[0]).split("|"))
                return state.only(yes), state.only(no)
            case Effect.BEGINS:
                return state, state.done()
            case Effect.ENDS:
                self._end(state)
                return NOWHERE, NOWHERE
            case Effect.UNSAID:
                return self._unknown(state)
        if effect is Effect.REPLIES and (status := _status(node)) != "final":
            return (state, state) if status == "provisional" else (state.done(), state)
        self._twice(state, node)
        tried = state.done()._replace(tried=state.tried or node)
        if effect is Effect.RELAYS:
            return tried, tried
        replied = tried._replace(sure=state.sure or node, bound=(*state.bound, node)[-MOST_BOUND:])
        return replied, (replied if effect is Effect.ANSWERS else state)

    def _unknown(self, state: State) -> Outcome:
        """Behind what may have answered, or ended."""
        self._summary.ends = True
        self._left += 1
        self._over = join(self._over, state._replace(tried=None))
        state = state.done()._replace(bound=())
        return state, state

    def _route(self, node: RouteCall, state: State) -> Outcome:
        if not state.alive:
            return state, state
        key = (RouteKind.REQUEST, node.name)
        if key not in self._ways.summaries:
            return state, NOWHERE
        self._summary.calls.append(Passing(node.name, state.waiting, state.answered))
        called = self._ways.summaries[key]
        if called is None:
            return self._unknown(state)
        if called.tried is not None:
            self._twice(state, called.tried)
        if called.ends:
            self._summary.ends = True
            self._left += 1
            self._over = join(self._over, state._replace(tried=state.tried or called.tried))
        return through(called.true, state, called), through(called.false, state, called)

    def _twice(self, state: State, second: Call) -> None:
        """Tell, once for each reply, that the request is answered or relayed after it."""
        for first in ((state.sure,) if state.sure else ()) + state.bound:
            relays = self._effect(second) is Effect.RELAYS
            if id(first) in self._ways.told or (relays and self._effect(first) is not Effect.REPLIES):
                continue
            self._ways.told.add(id(first))
            where = f"by {second.name}() in line {second.position.line}"
            if second.position.file != first.position.file:
                where += f" of {second.position.file}"
            if relays:
                message = f"the request is answered here, and relayed all the same {where}"
                rule = rules.RELAYED_AFTER_REPLY
            else:
                message = f"the request is answered here, and once more {where}"
                rule = rules.ANSWERED_TWICE
            hint = "write exit; behind this reply"
            if self._effect(first) is Effect.ANSWERS:
                hint = f"{first.name}() answers, whatever code it gives"
            self._ways.found.append(warning(rule, first.position, message, hint))


def _status(node: Call) -> str:
    """What kind of reply a call sends, as far as its first argument tells."""
    if not node.arguments:
        return "final"
    text = text_of(node.arguments[0])
    if "$" in text:
        return "unknown"
    return "provisional" if text.startswith("1") else "final"
