"""textops: looking at headers and text, and changing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.module import ArgumentError, Format, Module, Regex, RouteKind, script_function
from openpy.engine.pseudovars import METHOD_IDS
from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.headers import canonical_name
from openpy.sip.message import Request

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.ONREPLY, RouteKind.FAILURE, RouteKind.BRANCH})
REPLY_ROUTES = frozenset({RouteKind.REQUEST, RouteKind.BRANCH, RouteKind.ERROR})

KNOWN_METHODS = frozenset(METHOD_IDS)


@dataclass(frozen=True, slots=True)
class MethodsKind:
    """`A|B|C`: known methods; a single name may be any."""

    description: str = "methods such as INVITE|ACK"

    def convert(self, text: str, environment: Any) -> frozenset[str]:
        """Convert; raises ArgumentError."""
        names = [name.strip().upper() for name in text.split("|")]
        unknown = [name for name in names if name not in KNOWN_METHODS]
        if "" in names or (unknown and len(names) > 1):
            raise ArgumentError(f'unknown method "{unknown[0]}" in "{text}"')
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
            raise ArgumentError(f'"{text}" is no media type; write type/subtype')
        return f"{major}/{minor}"


Methods = Annotated[frozenset[str], MethodsKind()]
HeaderName = Annotated[str, HeaderNameKind()]
MediaType = Annotated[str, MediaTypeKind()]


class Textops(Module):
    """Functions on the text of a message. All of them read the message as it was received."""

    name = "textops"

    @script_function(routes=ROUTES)
    def is_method(self, run: Run, methods: Methods) -> int:
        """1 if the request's method (in a reply: the CSeq's) is one of them."""
        message = run.message
        if isinstance(message, Request):
            method = message.method
            return 1 if method in methods or method.upper() in methods else -1
        try:
            return 1 if message.cseq.method.upper() in methods else -1
        except RemoteError:
            return -1

    @script_function(routes=ROUTES)
    def search(self, run: Run, pattern: Regex) -> int:
        """1 if the expression is found anywhere in the message, first line included."""
        return 1 if pattern.search(run.message.raw) else -1

    @script_function(routes=ROUTES)
    def has_body(self, run: Run, media_type: MediaType | None = None) -> int:
        """1 if there is a body, of that type if one is given (a body without type counts as application/sdp)."""
        message = run.message
        try:
            length = message.content_length
        except RemoteError:
            return -1
        if not length or not message.body:
            return -1
        if media_type is None:
            return 1
        written = (message.get("Content-Type") or "application/sdp").partition(";")[0]
        return 1 if written.strip().lower() == media_type else -1

    @script_function(routes=ROUTES)
    def is_present_hf(self, run: Run, name: HeaderName) -> int:
        """1 if the message has such a header, in its long or compact form."""
        return 1 if run.message.has(name) else -1

    @script_function(routes=ROUTES)
    def append_hf(self, run: Run, text: Format, after: HeaderName | None = None) -> int:
        """Add header text after the last header, or after the first of a name."""
        line = text(run)
        if after is None:
            run.edits.append_header(line)
        else:
            run.edits.append_after(line, after)
        return 1

    @script_function(routes=REPLY_ROUTES)
    def append_to_reply(self, run: Run, text: Format) -> int:
        """Add header text to every reply that is made here for this request."""
        run.state.reply_headers += text(run)
        return 1

    @script_function(routes=ROUTES)
    def remove_hf(self, run: Run, name: HeaderName) -> int:
        """Remove all headers of a name; 1 if there was one."""
        return 1 if run.edits.remove(name) else -1
