"""The files of rules that a script names: each is read once, when the script is loaded.

Rules:
1. What a file of rules allows is allowed; else what a second one denies is denied; else it is allowed.
2. A file that is not there has no rules. One that cannot be read, or holds what is no rule, is a mistake in the script.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from openpy.engine.module import ArgumentError, Environment
from openpy.modules.permissions.rules import Rule, RuleError, parse_rules

__all__ = ["BaseKind", "FileKind", "FilePair", "RuleBook"]


class FilePair(NamedTuple):
    """Two files by their paths, as a `RuleBook` knows them."""

    allow: str
    deny: str


class RuleBook:
    """The rules of all files that were read."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        """What each file held, by its path."""
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._pairs: dict[str, FilePair] = {}
        self.absent: dict[str, None] = {}
        """The files that are not there."""

    def read(self, path: Path) -> str:
        """Read a file unless it is known; the path by which it is known. Raises ArgumentError."""
        name = str(path)
        if name in self._rules:
            return name
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            self.absent[name] = None
            text = ""
        except OSError as error:
            raise ArgumentError(f"{name} cannot be read: {error.strerror}") from None
        try:
            self._rules[name] = parse_rules(text)
        except RuleError as error:
            raise ArgumentError(f"{name}:{error.line}: {error.text}", error.hint) from None
        self.texts[name] = text
        return name

    def read_pair(self, base: Path, suffixes: tuple[str, str]) -> FilePair:
        """Read the two files whose paths begin with `base`; raises ArgumentError."""
        allow, deny = (self.read(base.with_name(base.name + suffix)) for suffix in suffixes)
        return self._pairs.setdefault(allow, FilePair(allow, deny))

    def take(self, other: RuleBook) -> None:
        """What was read later counts from now on; files that are named no more stay for who still asks for them."""
        self.texts.update(other.texts)
        self._rules.update(other._rules)
        self._pairs.update(other._pairs)

    def pair_of(self, path: Path) -> FilePair | None:
        """The pair whose rules allow by the file at a path; None if a script names none."""
        return self._pairs.get(str(path))

    def is_empty(self, pair: FilePair) -> bool:
        """Whether there is no rule at all."""
        return not self._rules[pair.allow] and not self._rules[pair.deny]

    def allows(self, pair: FilePair, left: str, right: str) -> bool:
        """Whether a pair of URIs is allowed."""
        if any(rule.match(left, right) for rule in self._rules[pair.allow]):
            return True
        return not any(rule.match(left, right) for rule in self._rules[pair.deny])


@dataclass(frozen=True, slots=True)
class BaseKind:
    """The name of two files without their suffixes."""

    book: RuleBook | None = None
    suffixes: tuple[str, str] = (".allow", ".deny")
    description: str = "the name of two files of rules, without .allow and .deny"

    def convert(self, text: str, environment: Environment) -> FilePair:
        """Read the files; raises ArgumentError."""
        assert self.book is not None
        return self.book.read_pair(environment.folder / _named(text), self.suffixes)


@dataclass(frozen=True, slots=True)
class FileKind:
    """The name of a file."""

    book: RuleBook | None = None
    description: str = "the name of a file of rules"

    def convert(self, text: str, environment: Environment) -> str:
        """Read the file; raises ArgumentError."""
        assert self.book is not None
        return self.book.read(environment.folder / _named(text))


def _named(text: str) -> str:
    if not text or text.endswith("/") or "\0" in text:
        raise ArgumentError(f'"{text}" is no name of a file')
    return text
