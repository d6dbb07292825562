"""What parameters may say."""

from collections.abc import Callable
from typing import Any

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.presence import settings


def test_what_1_3_corrected_is_corrected() -> None:
    assert [settings.positive_or(3600)(value) for value in (-1, 0, 5)] == [3600, 3600, 5]
    assert [settings.table_size(value) for value in (-1, 0, 1, 11, 512)] == [9, 9, 1, 11, 24]
    assert [settings.not_negative(value) for value in (-1, 0, 5)] == [0, 0, 5]
    assert settings.tag_prefix("") == "10"
    assert settings.tag_prefix("pres") == "pres"


def test_what_is_refused() -> None:
    refused: tuple[tuple[Callable[[Any], object], tuple[object, ...]], ...] = (
        (settings.period, (0, -5)),
        (settings.switch, (2, -1)),
        (settings.sip_uri, ("192.0.2.1", "tel:+1", "<sip:a@b>", "sip:")),
        (settings.tag_prefix, ("a b", "x" * 21, "a;b")),
        (settings.codes, ("x", "200", "404-", "404;481", "99")),
    )
    for check, values in refused:
        for value in values:
            with pytest.raises(ArgumentError):
                check(value)


def test_what_is_accepted() -> None:
    assert settings.period(1) == 1
    assert (settings.switch(0), settings.switch(1)) == (0, 1)
    assert settings.sip_uri("sip:10.10.10.10:5060") == "sip:10.10.10.10:5060"
    assert settings.codes(" 404 , 480-482") == " 404 , 480-482"


def test_codes() -> None:
    assert settings.parse_codes("404, 480-482") == {404, 480, 481, 482}
    assert settings.parse_codes("") == frozenset()
    assert {404, 408, 481, 485} < settings.parse_codes(settings.ENDING_CODES)
    assert not {401, 407, 500, 503} & settings.parse_codes(settings.ENDING_CODES)
