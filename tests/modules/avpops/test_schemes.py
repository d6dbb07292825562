from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.avpops.schemes import Scheme, parse_scheme


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("a:value_col=v", Scheme("a", {"value": "v"})),
        ("a:value_col=v;", Scheme("a", {"value": "v"})),
        (" a : Value_Col = v ; TABLE = t ", Scheme("a", {"value": "v"}, "t")),
        (
            "email:username_col=u;domain_col=d;uuid_col=i;value_col=e;value_type=string;table=db.users",
            Scheme("email", {"username": "u", "domain": "d", "uuid": "i", "value": "e"}, "db.users"),
        ),
        ("n:value_type=Integer", Scheme("n", {}, "", True)),
        ("n:value_type=integer;value_type=string", Scheme("n", {})),
    ],
)
def test_schemes(text: str, scheme: Scheme) -> None:
    assert parse_scheme(text) == scheme


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", '"" is no scheme; write name:element=value'),
        ("name", "is no scheme"),
        (":value_col=a", "is no scheme"),
        ("two words:value_col=a", "is no scheme"),
        ("a:", '"" in the scheme a is no element'),
        ("a:value_col", '"value_col" in the scheme a is no element'),
        ("a:value_col=", "is no element"),
        ("a:value_col=x;;table=y", "is no element"),
        ("a:colour=x", '"colour" is no element of a scheme: there are uuid_col, username_col'),
        ("a:value_type=float", '"float" is no value_type: there are integer and string'),
        ("a:value_col=x y", '"x y" is no name of a table or column'),
        ("a:table=x;value_col=a)b", "is no name"),
    ],
)
def test_what_is_no_scheme(text: str, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_scheme(text)
    assert told in str(caught.value)
