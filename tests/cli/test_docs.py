from __future__ import annotations

import re
from pathlib import Path

import pytest

from openpy.cli.docs import MADE, main, module_page, pages
from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.module import Module, Param, mi_command
from openpy.engine.modulefinder import module_names
from openpy.engine.oldmodules import NOT_BUILT, REPLACED
from openpy.modules.tm.module import Tm
from openpy.modules.xlog.module import Xlog
from openpy.script.rules.registry import RULES


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_every_module_has_its_page(made: dict[str, str]) -> None:
    assert set(made) == {
        "modules.md",
        "core-parameters.md",
        "core-functions.md",
        "core-commands.md",
        "limits.md",
        "restarts.md",
        "diagnostics.md",
        *(f"diagnostics/{code}.md" for code in RULES),
        *(f"modules/{name}.md" for name in module_names()),
    }
    assert all(text.startswith(MADE) for text in made.values())


def test_a_page_shows_all_that_a_module_declares() -> None:
    text = module_page(Tm)
    assert "# tm\n\nStateful processing: requests are relayed, forked and answered in transactions.\n" in text
    for name, parameter in Tm.parameters().items():
        assert f"| `{name}` | {'int' if parameter.type is int else 'string'} | " in text
    for name in Tm.function_names():
        assert f"| `{name}` | " in text
    assert "| `tm:relayed_replies` | Replies that were passed on |" in text
    assert "| `$C` | `$C(xy)`: foreground x" in module_page(Xlog)


def test_all_modules_of_1_3_stand_on_one_page(made: dict[str, str]) -> None:
    text = made["modules.md"]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    for name in module_names():
        assert f"[{name}](modules/{name}.md)" in rows
    assert "| [tm](modules/tm.md) | Stateful processing: requests are relayed, forked and answered" in text
    others = (set(NOT_BUILT) | set(REPLACED)) - set(module_names())
    assert others <= set(rows)
    named = [row for row in rows if row != "module"]
    assert len(named) == len(set(named)) == len(others) + len(module_names())
    assert all(f"| {name} | {REPLACED[name]} |" in text for name in others & set(REPLACED))


def test_no_module_of_1_3_is_forgotten(made: dict[str, str], shared: Path) -> None:
    """Section 32 of the reference lists what no section of its own is about; each of these has a heading."""
    reference = (shared / "reference" / "modules.md").read_text()
    second = reference.partition("\n## 32.")[2].partition("\n## 33.")[0]
    cells = [line.split("|")[1].strip() for line in second.splitlines() if line.startswith("| ")]
    names = {name.strip() for cell in cells[1:] for name in cell.split(",")}
    names |= set(re.findall(r"^## \d+\. (\w+)(?: — .*)?$", reference, re.MULTILINE))
    assert len(names) > 70
    rows = made["modules.md"].replace("[", "").replace("]", " |")
    assert not [name for name in names if f"\n| {name} |" not in rows]


def test_tables_survive_what_stands_in_them(made: dict[str, str]) -> None:
    for path, text in made.items():
        tables = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
        assert all(line.count("|") in (3, 4, 5) for line in tables), path


def test_a_module_says_what_must_be_loaded_before_it() -> None:
    class Needy(Module):
        """Needs others."""

        name = "needy"
        needs = ("tm", "database")

    assert "Must be loaded before it: tm, a database module." in module_page(Needy)


def test_commands_say_what_they_take(made: dict[str, str]) -> None:
    class Bell(Module):
        """Rings."""

        name = "bell"
        tone: Param[str | int] = Param((str, int), "\t", "How it sounds")

        @mi_command("ring")
        def ring(self, where: str, times: int = 1) -> None:
            """Ring it."""

    text = module_page(Bell)
    assert "## Management commands" in text
    assert "| `ring` | where, [times (int)] | Ring it. |" in text
    assert "| `tone` | string or int | `'\\t'` | How it sounds |" in text
    assert "| `get_statistics` | name, more ... | " in made["core-commands.md"]


def test_the_core_parameters_say_what_has_no_effect(made: dict[str, str]) -> None:
    text = made["core-parameters.md"]
    assert all(f"`{spec.name}`" in text for spec in CORE_PARAMETERS)
    assert "(accepted, without effect)" in text
    assert "`$hdr(name)`" in made["core-functions.md"]


def test_the_limits_of_all_parts_stand_on_one_page(made: dict[str, str]) -> None:
    text = made["limits.md"]
    assert "| `tcp_max_connections` | `2048` | Connections at most" in text
    assert "## Parameters of presence\n" in text
    assert "| `max_body` | `65535` | Largest body of a PUBLISH" in text
    assert "`advertised_port`" not in text


def test_what_needs_a_restart_stands_on_one_page(made: dict[str, str]) -> None:
    text = made["restarts.md"]
    assert "| `listen` | Sockets; repeatable |" in text
    assert "| `db_url` | URL of the database" in text
    assert "`max_expires`" not in text
    (line,) = (line for line in text.splitlines() if line.startswith("To load or to leave out: "))
    named = line.removeprefix("To load or to leave out: ").partition(".")[0].split(", ")
    assert {"presence", "presence_mwi", "presence_xml"} <= set(named)
    assert "tm" not in named


def test_docs_are_up_to_date(made: dict[str, str], root: Path) -> None:
    stale = [path for path, text in made.items() if not _is(root / "docs" / path, text)]
    assert not stale, "run `make docs`"
    folders = [root / "docs" / name for name in ("modules", "diagnostics")]
    kept = {f"{path.parent.name}/{path.name}" for folder in folders for path in folder.glob("*.md")}
    assert kept <= set(made)


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


def test_the_command_writes_all_pages(made: dict[str, str], tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.md")} == made


def test_events_stand_on_the_page_of_who_raises_them(made: dict[str, str]) -> None:
    assert "| `event_route[sl:filtered-ack]` | An ACK to such a reply was taken" in made["modules/sl.md"]
    assert "| `event_route[core:worker-one-init]` |" in made["core-functions.md"]
    assert "## Events" not in made["modules/xlog.md"]
