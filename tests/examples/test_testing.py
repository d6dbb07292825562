"""docs/testing.md: its examples run, and what it shows is what is printed."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text()
EXAMPLES = [
    block for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "def test_" in block
]
OPTIONS = ("-p", "openpy.testing.plugin", "-p", "no:cacheprovider", "-p", "no:xdist")


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with openser.cfg of examples/."""
    shutil.copy(ROOT / "examples" / "openser.cfg", pytester.path)
    return pytester


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_page_passes(folder: pytest.Pytester, text: str) -> None:
    folder.makepyfile(text)
    folder.runpytest_inprocess(*OPTIONS).assert_outcomes(passed=1)


def test_five_lines_suffice() -> None:
    assert len(EXAMPLES[0].splitlines()) == 5


def test_what_is_printed_where_it_fails(folder: pytest.Pytester) -> None:
    folder.makepyfile(EXAMPLES[0].replace("200", "202"))
    printed = folder.runpytest_inprocess(*OPTIONS).stdout.str()
    shown = re.search(r"What happened with openser\.cfg -+\n(.*?)\n\n", PAGE, re.S)
    assert shown is not None
    assert "\n".join(line[4:] for line in shown[1].splitlines()) in printed


@pytest.mark.parametrize(
    ("table", "members"),
    [
        ("## What came of it", "openpy.testing.exchange.Exchange"),
        ("## Everything else", "openpy.testing.script.Script"),
    ],
)
def test_the_page_lists_every_member(table: str, members: str) -> None:
    module, _, name = members.rpartition(".")
    made = getattr(__import__(module, fromlist=[name]), name)
    written = set(re.findall(r"\w+", PAGE))
    public = {key for key in vars(made) if not key.startswith("_")} - {"close", "reply", "routed", "takes"}
    assert public <= written, table
