from __future__ import annotations

import pytest

from openpy.engine.module import ModuleError
from openpy.modules.group.expressions import expressions_of, groups_of


def test_all_that_match_or_the_first() -> None:
    found = expressions_of([("^sip:a", 1), ("@X.example$", "2"), ("^sip:b", 3)], "re_grp")
    assert groups_of(found, "sip:alice@x.example", several=True) == [1, 2]
    assert groups_of(found, "sip:alice@x.example", several=False) == [1]
    assert groups_of(found, "sip:carol@y.example", several=True) == []


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (("(", 1), r'the expression "\(" cannot be used'),
        (("a", "x"), 'the group "x" of "a" is no number'),
        (("a", None), 'the group "None"'),
        ((None, 1), "the expression of the group 1 is empty"),
        (("", 1), "the expression of the group 1 is empty"),
    ],
)
def test_rows_that_make_no_sense(row: tuple[object, object], text: str) -> None:
    with pytest.raises(ModuleError, match=text):
        expressions_of([("a", 1), row], "re_grp")
