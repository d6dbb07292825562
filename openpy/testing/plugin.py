"""The pytest plugin: the fixtures `script` and `load_script`, and what happened, printed where a test fails.

It is found by its entry point, so it does nothing and imports nothing of the server until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openpy.testing.script import Script

DEFAULT = "openser.cfg"
"""The script of a test that names none, looked for beside it and in the folders above."""

_LOADED = pytest.StashKey[list["Script"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option that names the script of all tests."""
    parser.addini(
        "openpy_script",
        f"the script that the fixture `script` loads; without a marker, and without this, it is {DEFAULT}",
        default=DEFAULT,
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker that names the script of one test, class or file."""
    config.addinivalue_line(
        "markers",
        "script(path, **options): the script that the fixture `script` loads, relative to the test file, and what "
        "openpy.testing.script.Script is given besides: modparams, core, hosts",
    )


@pytest.fixture
def load_script(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Script]]:
    """Loads scripts: `load_script(path_or_text, **options)`; each server stops with the test."""
    from openpy.testing.script import Script

    loaded = request.node.stash.setdefault(_LOADED, [])
    with ExitStack() as stack:

        def load(source: str | Path, **options: Any) -> Script:
            folder = tmp_path / f"script{len(loaded) + 1}"
            folder.mkdir()
            if isinstance(source, Path) or ("\n" not in source and "{" not in source):
                source = find_script(str(source), request.path, request.config.rootpath)
            script = Script(source, folder=folder, **options)
            loaded.append(script)
            return stack.enter_context(script)

        yield load


@pytest.fixture
def script(request: pytest.FixtureRequest, load_script: Callable[..., Script]) -> Script:
    """The script that the marker `script` names, or the ini option `openpy_script`."""
    marker = request.node.get_closest_marker("script")
    if marker is not None and marker.args:
        return load_script(marker.args[0], **marker.kwargs)
    options = {} if marker is None else marker.kwargs
    return load_script(request.config.getini("openpy_script"), **options)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test fails, print what happened."""
    report = yield
    if report.failed:
        for script in item.stash.get(_LOADED, []):
            report.sections.append((f"What happened with {script.path.name}", str(script) or "nothing"))
    return report


def find_script(name: str, test: Path, root: Path) -> Path:
    """The script of that name: beside the test file, or in a folder above it, up to pytest's root folder.

    Fails the test where there is none.
    """
    folders = list(test.parents)
    if root in folders:
        folders = folders[: folders.index(root) + 1]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = ", ".join(map(str, folders))
    pytest.fail(f'no script "{name}" in {places}', pytrace=False)
