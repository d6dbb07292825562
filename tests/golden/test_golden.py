"""Golden files of the language: a script, and behind a line of `=` its tree or its diagnostics.

`beyond-*` is what 1.3 does not have, one construct each; they include from `included`. A line of the tree says where
its node is, and in which file if that is an included one. `check-*` are whole scripts: what is told before a start.
`avpops-*` is for test_avpops.py.

`OPENPY_REGENERATE=1 pytest tests/golden` writes the second part anew; read the difference before keeping it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from openpy.cli.rulepages import found_in
from openpy.script.diagnostics import Diagnostic, ScriptError, render
from openpy.script.parser import parse

FOLDER = Path(__file__).parent
SEPARATOR = "=" * 80 + "\n"


def shown(value: Any, label: str = "", indent: str = "") -> Iterator[str]:
    """One line a node with what is plain in it, its parts indented below."""
    if isinstance(value, tuple):
        if label and value:
            yield f"{indent}{label}:"
        for item in value:
            yield from shown(item, "", indent + "  " if label else indent)
        return
    plain, parts = [], []
    for field in fields(value):
        inner = getattr(value, field.name)
        if field.name == "position":
            continue
        if isinstance(inner, tuple) or is_dataclass(inner):
            parts.append((field.name, inner))
        else:
            plain.append(inner.value if isinstance(inner, Enum) else repr(inner))
    place = value.position
    head = " ".join([f"{label}: {type(value).__name__}" if label else type(value).__name__, *plain])
    file = f" of {place.file}" if place.file.startswith("included/") else ""
    yield f"{indent}{head}  @{place.line}:{place.column}-{place.end_line}:{place.end_column}{file}"
    for name, inner in parts:
        yield from shown(inner, name, indent + "  ")


def outcome(source: str, file: str) -> str:
    sources = {file: source}

    def read(path: str) -> bytes:
        data = (FOLDER / path).read_bytes()
        sources[path] = data.decode()
        return data

    def rendered(diagnostic: Diagnostic) -> str:
        return render(diagnostic, sources[diagnostic.position.file])

    try:
        parsed = parse(source, file, read)
    except ScriptError as failure:
        return "".join(rendered(diagnostic) + "\n" for diagnostic in failure.diagnostics)
    lines = [rendered(diagnostic) for diagnostic in parsed.found]
    for statement in parsed.script.statements:
        lines += shown(statement)
    return "".join(line + "\n" for line in lines)


def checked(source: str) -> str:
    """What is told of a whole script."""
    return "".join(render(diagnostic, source) + "\n" for diagnostic in found_in(source)) or "nothing\n"


FILES = sorted(path for path in FOLDER.glob("*.golden") if not path.stem.startswith("avpops-"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    source, _, expected = path.read_text("utf-8").partition(SEPARATOR)
    is_whole = path.stem.startswith("check-")
    found = checked(source) if is_whole else outcome(source, path.stem + ".cfg")
    if os.environ.get("OPENPY_REGENERATE") == "1":
        path.write_text(source + SEPARATOR + found, "utf-8")
    else:
        assert found == expected
