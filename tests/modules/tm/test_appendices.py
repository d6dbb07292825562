from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.tm.appendices import Appendix, Info, InfoKind, read_appendix
from openpy.script.environment import Environment


def test_an_appendix() -> None:
    assert read_appendix("v: Agent=$ua ; $rb;X=$fu") == Appendix("v", (("Agent", "$ua"), ("X", "$fu")), True)


@pytest.mark.parametrize("text", ["v", ":$rb", "v:", "v:$ua", "v:X", "v:X=y", "v:=$ua"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ArgumentError, match="write"):
        read_appendix(text)


def test_an_action() -> None:
    kind = InfoKind([read_appendix("v:$rb")])
    assert kind.convert("voicemail", Environment()) == Info("voicemail")
    assert kind.convert("voicemail/v", Environment()) == Info("voicemail", (), True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", '"" names no action'),
        ("/v", '"/v" names no action'),
        ("a b", '"a b" names no action'),
        ("a/w", 'unknown append name "w"; there are v'),
    ],
)
def test_what_is_no_action(text: str, problem: str) -> None:
    with pytest.raises(ArgumentError, match=problem):
        InfoKind([read_appendix("v:$rb")]).convert(text, Environment())
    with pytest.raises(ArgumentError, match="there are none: add one with tw_append"):
        InfoKind().convert("a/v", Environment())
