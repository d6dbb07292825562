"""What scripts give textops as arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.module import ArgumentError, did_you_mean
from openpy.engine.pseudovars import METHOD_IDS
from openpy.sip.headers import canonical_name

KNOWN_METHODS = frozenset(METHOD_IDS)
PRIVACY = ("header", "session", "user", "none", "critical", "id", "history")


@dataclass(frozen=True, slots=True)
class MethodsKind:
    """`A|B|C`: known methods; a single name may be any."""

    description: str = "methods such as INVITE|ACK"

    def convert(self, text: str, environment: Any) -> frozenset[str]:
        """Convert; raises ArgumentError."""
        names = [name.strip().upper() for name in text.split("|")]
        unknown = [name for name in names if name not in KNOWN_METHODS]
        if "" in names or (unknown and len(names) > 1):
            raise ArgumentError(
                f'unknown method "{unknown[0]}" in "{text}"', did_you_mean(unknown[0], METHOD_IDS)
            )
        return frozenset(names)


@dataclass(frozen=True, slots=True)
class HeaderNameKind:
    """The name of a header, in any spelling."""

    description: str = "a header name"

    def convert(self, text: str, environment: Any) -> str:
        """Convert to the canonical name; raises ArgumentError."""
        name = text.strip().rstrip(":").rstrip()
        if not name:
            raise ArgumentError("a header name is needed")
        return canonical_name(name)


@dataclass(frozen=True, slots=True)
class MediaTypeKind:
    """`type/subtype`."""

    description: str = "a media type such as application/sdp"

    def convert(self, text: str, environment: Any) -> str:
        """Convert to lower case; raises ArgumentError."""
        major, slash, minor = text.strip().lower().partition("/")
        if not (major and slash and minor):
            raise ArgumentError(f'"{text}" is no media type', "write type/subtype")
        return f"{major}/{minor}"


@dataclass(frozen=True, slots=True)
class PrivacyKind:
    """A kind of privacy that somebody may ask for (RFC 3323, RFC 3325, RFC 4244)."""

    description: str = f"one of {', '.join(PRIVACY)}"

    def convert(self, text: str, environment: Any) -> str:
        """Convert to lower case; raises ArgumentError."""
        if text.lower() not in PRIVACY:
            raise ArgumentError(f'"{text}" is no kind of privacy', f"there are {', '.join(PRIVACY)}")
        return text.lower()


Methods = Annotated[frozenset[str], MethodsKind()]
HeaderName = Annotated[str, HeaderNameKind()]
MediaType = Annotated[str, MediaTypeKind()]
Privacy = Annotated[str, PrivacyKind()]
