"""The lines and ways of scripts: one row for each construct."""

from __future__ import annotations

import pytest

from openpy.script.parser import parse
from openpy.testing.lines import ScriptLines


def read(body: str) -> ScriptLines:
    """The lines of a route whose body begins on line 2."""
    return ScriptLines(parse(f"route {{\n{body}\n}}\n", "x.cfg").script)


@pytest.mark.parametrize(
    ("body", "ways"),
    [
        ("log(1);\nlog(2);", {(2, 3), (3, -1)}),
        ("exit;\nlog(1);", {(2, -1), (3, -1)}),
        ("return(1);", {(2, -1)}),
        ("drop;", {(2, -1)}),
        ("if (1)\nlog(1);\nlog(2);", {(2, 3), (2, 4), (3, 4), (4, -1)}),
        ("if (1)\nlog(1);\nelse\nlog(2);", {(2, 3), (2, 5), (3, -1), (5, -1)}),
        (
            "if (1) {\nlog(1);\n} else if (2) {\nlog(2);\n} else {\nlog(3);\n}\nlog(4);",
            {(2, 3), (2, 4), (3, 9), (4, 5), (4, 7), (5, 9), (7, 9), (9, -1)},
        ),
        ("if (1) {\n}\nlog(1);", {(2, 4), (4, -1)}),
        ("if (1) exit;\nlog(1);", {(2, -1), (2, 3), (3, -1)}),
        ("if (1) {\nlog(1);\n;\n}\nlog(2);", {(2, 3), (3, 6), (2, 6), (6, -1)}),
        ("while (1) {\nlog(1);\n}\nlog(2);", {(2, 3), (3, 2), (2, 5), (5, -1)}),
        (
            "while (1) {\nif (2)\nbreak;\n}\nlog(2);",
            {(2, 3), (3, 4), (3, 2), (4, 6), (2, 6), (6, -1)},
        ),
        ("if (1)\nbreak;\nlog(1);", {(2, 3), (2, 4), (3, -1), (4, -1)}),
        (
            "switch ($rm) {\ncase 1:\nlog(1);\nbreak;\ncase 2:\nlog(2);\ndefault:\nlog(3);\n}\nlog(4);",
            {(2, 3), (3, 4), (3, 6), (6, 7), (6, 9), (4, 11), (7, 9), (9, 11), (11, -1)},
        ),
        (
            "switch ($rm) {\ncase 1:\nlog(1);\n}\nlog(4);",
            {(2, 3), (3, 4), (3, 6), (4, 6), (6, -1)},
        ),
        ("switch ($rm) {\ncase 1: log(1);\n}\nlog(4);", {(2, 3), (3, 5), (5, -1)}),
        (
            "switch ($rm) {\ncase 1:\ncase 2:\nlog(1);\nbreak;\ncase 3:\nbreak;\n}\nlog(2);",
            {(2, 3), (3, 5), (3, 10), (5, 10), (10, -1)},
        ),
    ],
)
def test_the_ways_of_each_construct(body: str, ways: set[tuple[int, int]]) -> None:
    assert read(body).ways == ways


def test_a_statement_on_several_lines_is_the_line_where_it_begins() -> None:
    found = read('if (1\n&& 2)\nsl_send_reply("200",\n"OK"); exit;')
    assert found.lines == {2, 4, 5}
    assert [found.begin_of(line) for line in (1, 2, 3, 4, 5, 6)] == [None, 2, 2, 4, 5, None]


def test_a_line_that_goes_more_than_two_ways_is_no_branch() -> None:
    found = read("if (1) exit; if (2) {\nlog(1);\n}\nlog(2);")
    assert {target for source, target in found.ways if source == 2} == {-1, 3, 5}
    assert 2 not in found.exits()
    assert read("if (1)\nlog(1);").exits()[2] == 2


def test_a_switch_goes_along_its_cases_to_the_one_that_matches() -> None:
    found = read(
        "switch ($rm) {\ncase 1:\nlog(1);\nbreak;\ncase 2: log(2);\nbreak;\ndefault:\nlog(3);\n}\nlog(4);"
    )
    assert found.completed({(2, 4)}) == {(2, 3), (3, 4)}
    assert found.completed({(2, 6)}) == {(2, 3), (3, 6)}
    assert found.completed({(2, 9)}) == {(2, 3), (3, 6), (6, 9)}


def test_what_was_cut_out_goes_on_after_what_is_around_it() -> None:
    found = read("if (1) {\nif (2)\nlog(1);\n}\nlog(2);")
    assert found.completed({(3, -1), (4, -1), (6, -1), (2, 2)}) == {(3, 6), (4, 6), (6, -1)}


def test_each_route_has_its_lines() -> None:
    script = parse("route {\nexit;\n}\nroute[1] {\nlog(1);\ndrop;\n}\n", "x.cfg").script
    assert [(route.name, lines) for route, lines in ScriptLines(script).routes] == [("0", {2}), ("1", {5, 6})]


def test_a_chain_of_a_thousand_is_read() -> None:
    chain = "\n".join(f"if ({number})\nexit;\nelse" for number in range(1000))
    assert len(read(f"{chain}\ndrop;").lines) == 2001
