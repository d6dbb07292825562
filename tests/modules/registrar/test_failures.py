"""Refusals, as 1.3 words them."""

from __future__ import annotations

from openpy.modules.registrar.failures import Failure, Reason


def test_each_has_a_status_a_phrase_and_a_text() -> None:
    failure = Failure(Reason.TOO_MANY)
    assert (failure.status, failure.phrase, failure.text) == (
        503,
        "Service Unavailable",
        "Too many registered contacts",
    )
    assert str(failure) == failure.text
    assert {Failure(reason).status for reason in Reason} == {400, 420, 500, 503}


def test_what_may_be_better_soon() -> None:
    assert Failure(Reason.CONTACT_INSERT).is_passing
    assert not Failure(Reason.AOR_LENGTH).is_passing
    assert not Failure(Reason.TOO_MANY).is_passing
    assert not Failure(Reason.CSEQ).is_passing
