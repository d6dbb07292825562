from __future__ import annotations

from openpy.sip.errors import LocalError, RemoteError, SipError


def test_remote_error_carries_the_answer() -> None:
    error = RemoteError(423, "Interval Too Brief", (("Min-Expires", "60"),))
    assert (error.status, error.reason, error.headers) == (
        423,
        "Interval Too Brief",
        (("Min-Expires", "60"),),
    )
    assert str(error) == "423 Interval Too Brief"


def test_both_sides_are_sip_errors() -> None:
    assert issubclass(RemoteError, SipError)
    assert issubclass(LocalError, SipError)
