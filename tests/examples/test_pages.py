"""The examples of the modules' pages (docs/modules) are scripts that start."""

from __future__ import annotations

import inspect
import re
from itertools import groupby
from pathlib import Path

import pytest

from openpy.engine.module import Module
from openpy.engine.modulefinder import find_module, module_names
from openpy.engine.server import Server

NO_SCRIPT = re.compile(r"# who |mkfifo |printf |openpyctl ")
"""What begins a block for a shell, or for a file of rules."""

FIRST = ("sqlite", "mysql", "postgres", "sl", "tm", "rr")
"""What stands above all others."""

BLOCK = re.compile(r"(\w+_)?route(\[\w+\])? \{", re.MULTILINE)


def examples(cls: type[Module]) -> list[str]:
    """The indented blocks of what a module says of itself, without the indentation."""
    lines = (inspect.getdoc(cls) or "").splitlines()
    blocks = (
        list(block) for is_code, block in groupby(lines, lambda line: line.startswith("    ")) if is_code
    )
    texts = ("\n".join(line[4:] for line in block) for block in blocks)
    return [text for text in texts if not NO_SCRIPT.match(text)]


def loads(*names: str) -> str:
    """The lines that load modules, each below those that it needs."""
    found: dict[str, None] = {}

    def load(name: str) -> None:
        if name != "database" and name not in found:
            for need in find_module(name).needs:
                load(need)
            found[name] = None

    for name in (*FIRST, *names):
        load(name)
    return "".join(f'loadmodule "{name}.so"\n' for name in found)


def script_of(name: str, texts: list[str]) -> str:
    """The script of a page: its examples leave out the lines that are the same everywhere."""
    text = "\n".join(texts)
    words = set(re.findall(r"\w+(?=\()", text)) | set(re.findall(r'modparam\("(\w+)"', text))
    others = [
        other
        for other in module_names()
        if other != name and words & {other, *find_module(other).function_names()}
    ]
    if BLOCK.search(text):
        return loads(*others, name) + text
    parameters = [line for line in text.splitlines() if line.startswith("modparam")]
    calls = [line for line in text.splitlines() if not line.startswith("modparam")]
    return "\n".join([loads(*others, name), *parameters, "route {", *calls, "drop(); }"])


@pytest.mark.parametrize("name", sorted(set(module_names()) - {"mi_fifo", "mi_datagram"}))
def test_a_page_has_an_example_that_starts(name: str, tmp_path: Path) -> None:
    """Those of mi_fifo and mi_datagram are for a shell."""
    found = examples(find_module(name))
    assert found
    path = tmp_path / "page.cfg"
    path.write_text(script_of(name, found))
    loaded = Server(allow_exec=True).load(path)
    assert not [warning for warning in loaded.warnings if warning.code != "W318"]
