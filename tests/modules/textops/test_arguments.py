from __future__ import annotations

from typing import Any

import pytest

from openpy.modules.textops.arguments import HeaderNameKind, MediaTypeKind, MethodsKind, PrivacyKind
from openpy.script.environment import ArgumentError, Environment

ENVIRONMENT = Environment()


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        (MethodsKind(), "invite|ACK", frozenset({"INVITE", "ACK"})),
        (MethodsKind(), "STRANGE", frozenset({"STRANGE"})),
        (HeaderNameKind(), "f:", "From"),
        (MediaTypeKind(), "Application/SDP", "application/sdp"),
        (PrivacyKind(), "ID", "id"),
    ],
)
def test_what_is_meant(kind: Any, text: str, found: object) -> None:
    assert kind.convert(text, ENVIRONMENT) == found


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (MethodsKind(), "INVITE|INVIT", "unknown method"),
        (MethodsKind(), "INVITE|", "unknown method"),
        (HeaderNameKind(), " : ", "a header name is needed"),
        (MediaTypeKind(), "sdp", "is no media type"),
        (PrivacyKind(), "secret", "is no kind of privacy"),
    ],
)
def test_what_cannot_be_meant(kind: Any, text: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        kind.convert(text, ENVIRONMENT)
