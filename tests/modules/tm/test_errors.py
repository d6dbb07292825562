from __future__ import annotations

from openpy.modules.tm.errors import ERRORS, RELAY_CODES


def test_each_error_has_an_answer_and_a_code() -> None:
    assert set(ERRORS) == set(RELAY_CODES)
    assert sorted(RELAY_CODES.values()) == [-6, -5, -4, -3, -3, -2]
    assert all(400 <= status < 600 for status, _ in ERRORS.values())
