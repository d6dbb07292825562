"""Tokens to tree, and back on the road after a mistake.

Rules:
1. One run finds all mistakes, and one mistake is told once; what follows from a mistake is not.
2. A mistake that can be repaired is: a missing `;` or `)` is put in, a `)` too many or a `//` comment left out.
3. After any other, the statement is dropped and reading goes on at the next `;`, `{` or `}`. The block
   behind a broken `if` or route header is read as if the header were good.
4. Outside of routes, reading goes on at the next parameter, module or route.
5. Every way on either takes a token or leaves it where it can be taken: reading always ends.
"""

from __future__ import annotations

from openpy.script import automaton, mistakes
from openpy.script.automaton import Machine
from openpy.script.builder import Builder
from openpy.script.diagnostics import Diagnostic, error
from openpy.script.environment import Rest, rest_never
from openpy.script.lexer import END, KEYWORDS, Token, begins_line
from openpy.script.rules import text as rules
from openpy.script.syntax import Script

_MOST_ERRORS = 100

_OPENING = {")": "(", "}": "{", "]": "["}
_COMMAND_WORDS = frozenset(("if", "while", "switch", "return", "exit", "drop", "break"))


class Reader:
    """Reads the tokens of one script; `found` collects what is wrong."""

    def __init__(
        self, file: str, tokens: list[Token], found: list[Diagnostic], rest: Rest = rest_never
    ) -> None:
        self._tokens = tokens
        self._rest = rest
        self._found = found
        self._open: list[Token] = []  # brackets that are not closed yet
        self._machine = Machine(automaton.load(), Builder(file, found))

    def read(self) -> Script | None:
        """The tree; None if the end could not be reached."""
        tokens, feed = self._tokens, self._machine.feed
        index = 0
        while index >= 0:
            self._rest()
            token = tokens[index]
            if not feed(self._kind(index), token):
                index = self._recover(index)
            elif token.kind == END:
                script: Script = self._machine.result
                return script
            else:
                self._note(token)
                index += 1
        return None

    def _kind(self, index: int) -> str:
        """What a token is here: `debug` before a `=` is a parameter, `route` in `alias=route` just a word."""
        token = self._tokens[index]
        possible = self._machine.actions
        if token.kind == "WORD":
            return self._word_kind(index) if "PARAMETER" in possible else "WORD"
        if token.kind not in possible and "WORD" in possible and token.text in KEYWORDS:
            before, after = self._tokens[index - 1].kind, self._tokens[index + 1].kind
            if before in ("=", ":", "(", "[", ",") and (not self._open or after in (")", "]", ",", ":", ";")):
                return "WORD"
        return token.kind

    def _word_kind(self, index: int) -> str:
        """What a word is that may begin a statement outside of routes; `socket` is what OpenSIPS calls `listen`."""
        word, after = self._tokens[index].text, self._tokens[index + 1].kind
        if after == "=":
            return "SOCKETS" if word == "socket" and "SOCKETS" in self._machine.actions else "PARAMETER"
        if word in ("mpath", "loadpath") and after == "STRING":
            return "PATH"
        return "FLAGS" if word == "flags" and after == "WORD" else "WORD"

    def _note(self, token: Token) -> None:
        """Keep the account of open brackets; a `}` also ends the parentheses inside of its block."""
        kind = token.kind
        if kind in ("(", "{", "["):
            self._open.append(token)
        elif opening := _OPENING.get(kind):
            if kind == "}":
                self._close_parentheses()
            if self._open and self._open[-1].kind == opening:
                self._open.pop()

    def _close_parentheses(self) -> None:
        while self._open and self._open[-1].kind != "{":
            self._open.pop()

    # --- Mistakes -----------------------------------------------------------------------------------------

    def _recover(self, index: int) -> int:
        """Tell what is wrong at a token that cannot come here; where to go on, -1 for nowhere."""
        tokens = self._tokens
        token = tokens[index]
        if len(self._found) >= _MOST_ERRORS:
            message = "too many mistakes; the rest of the script is not read"
            self._found.append(error(rules.TOO_MUCH, token.position, message))
            return -1
        if token.kind == END and token.text:  # in a string or a comment whose beginning was told
            return -1
        if misquoted := mistakes.misquoted(tokens, index):
            # behind it, inside and outside of strings have changed places
            start, file = misquoted.place, misquoted.position.file
            before = [d for d in self._found if d.position.file != file or d.place < start]
            self._found[:] = [*before, misquoted]
            return -1
        if token.kind == END:
            self._found.append(mistakes.unexpected_end(tokens, self._machine, self._open))
            return -1
        if mistakes.in_route(self._machine):
            header = index - 1 if token.kind in ("[", "{") else index  # `route` alone could begin a call
            if self._begins_top_level(header):
                self._found.append(mistakes.unclosed_block(tokens, header))
                return self._skip_to_top_level(header)
        repaired = self._insert(index) or self._omit(index) or self._take_for_comment(index)
        return repaired or self._give_up(index)

    def _insert(self, index: int) -> int:
        """Put in the `;` or `)` that is missing before a token; 0 if that is not what is wrong."""
        machine = self._machine
        token, before = self._tokens[index], self._tokens[index - 1]
        if index == 0:
            return 0
        if mistakes.wants_semicolon(before, token, self._open) and machine.accepts(";"):
            self._found.append(mistakes.missing_semicolon(before))
            machine.feed(";", token)
        elif mistakes.wants_parenthesis(before, token, self._open) and machine.accepts(")"):
            self._found.append(mistakes.missing_parenthesis(self._open[-1], token))
            while self._open and self._open[-1].kind == "(" and machine.feed(")", before):
                self._open.pop()
        else:
            return 0
        return index if machine.accepts(self._kind(index)) else self._skip(index)

    def _omit(self, index: int) -> int:
        """Leave out a `)` or `]` that closes nothing; 0 if that is not what is wrong."""
        token = self._tokens[index]
        if token.kind not in (")", "]") or (self._open and self._open[-1].kind == _OPENING[token.kind]):
            return 0
        message = f"syntax error: '{token.kind}' without '{_OPENING[token.kind]}'"
        self._found.append(error(rules.STRAY_PARENTHESIS, token.position, message))
        return index + 1 if self._machine.accepts(self._kind(index + 1)) else self._skip(index + 1)

    def _take_for_comment(self, index: int) -> int:
        """Leave out the rest of a line from `//` on; 0 if that is not what is wrong."""
        tokens, start = self._tokens, index
        if tokens[index].text != "/" or tokens[index + 1].text != "/":
            return 0
        self._found.append(mistakes.explain(tokens, index, self._machine))
        while index == start or not (begins_line(self._tokens, index) or tokens[index].kind == END):
            index += 1
        return index

    def _give_up(self, index: int) -> int:
        """Explain, and drop the statement. What was told at the same place said less."""
        mistake = mistakes.explain(self._tokens, index, self._machine)
        self._found[:] = [*(d for d in self._found if d.position != mistake.position), mistake]
        return self._skip(index)

    def _skip(self, index: int) -> int:
        """Drop the unfinished statement; where to go on."""
        machine = self._machine
        in_route = mistakes.in_route(machine)
        dropped = machine.unwind("statement", "item")
        head = dropped[0] if dropped and isinstance(dropped[0], Token) else self._tokens[index]
        if not in_route:
            return self._skip_to_top_level(index, head)
        start = index
        while True:
            token = self._tokens[index]
            if token.kind == END or self._begins_top_level(index):
                return index
            if token.kind == "{":
                self._close_parentheses()
                self._pretend("switch" if head.kind == "switch" else "if", token)
                return index
            if self._ends_statement(index) and (index > start or token.kind not in _COMMAND_WORDS):
                self._close_parentheses()
                if head.kind in ("if", "while", "else"):
                    self._pretend("if", token)
                if token.kind != ";":
                    machine.feed(";", token)
                return index
            self._note(token)
            index += 1

    def _ends_statement(self, index: int) -> bool:
        kind = self._tokens[index].kind
        if kind in ("case", "default"):
            return self._machine.accepts(kind)
        return kind in (";", "}", "else") or (kind in _COMMAND_WORDS and begins_line(self._tokens, index))

    def _skip_to_top_level(self, index: int, head: Token | None = None) -> int:
        """Drop what is unfinished outside of routes, or a whole route; where to go on."""
        self._machine.unwind("item")
        start = index
        while True:
            token = self._tokens[index]
            if token.kind == END or self._begins_top_level(index):
                self._open.clear()
                return index
            if token.kind == "{" and head and head.kind in ("ROUTE", "SPECIAL_ROUTE"):
                self._close_parentheses()
                self._machine.feed("ROUTE", Token("ROUTE", "route", token.position))
                return index
            if index > start and not self._open and self._resembles_top_level(index):
                return index
            self._note(token)
            index += 1

    def _pretend(self, head: str, token: Token) -> None:
        """Feed a good head in place of a broken one."""
        for kind, text in mistakes.GOOD_HEADS[head]:
            self._machine.feed(kind, Token(kind, text, token.position))

    def _begins_top_level(self, index: int) -> bool:
        """Whether a token can only be the first of a top-level statement."""
        kind, after = self._tokens[index].kind, self._tokens[min(index + 1, len(self._tokens) - 1)].kind
        match kind:
            case "loadmodule" | "modparam" | "SPECIAL_ROUTE":
                return True
            case "ROUTE":
                return after in ("{", "[")
            case "SOCKETS" | "dst_blacklist":
                return after == "="
            case "TLS_DOMAIN":
                return after == "["
        return False

    def _resembles_top_level(self, index: int) -> bool:
        """Whether a line begins as a top-level statement does, right or wrong, and no command of a route would."""
        token, after = self._tokens[index], self._tokens[index + 1]
        if token.kind != "WORD" or not begins_line(self._tokens, index):
            return False
        return after.kind in ("=", "STRING", "NUMBER", "{", "[") or after.text == "=="
