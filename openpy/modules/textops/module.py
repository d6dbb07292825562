"""textops: looking at headers and text, and changing them."""

from __future__ import annotations

from email.utils import formatdate

from openpy.engine.module import Effect, Format, Module, Regex, RouteKind, Text, script_function
from openpy.engine.requesturi import change, rewrite
from openpy.engine.run import Run
from openpy.engine.substitution import Substitution, SubstitutionText
from openpy.modules.textops import searching
from openpy.modules.textops.arguments import HeaderName, MediaType, Methods, Privacy
from openpy.modules.textops.multipart import boundary_of, part_of
from openpy.modules.textops.searching import behind_first_line, in_body
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import cached_uri

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.ONREPLY, RouteKind.FAILURE, RouteKind.BRANCH})
REQUEST_FAILURE_BRANCH = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.BRANCH})
REPLY_ROUTES = frozenset({RouteKind.REQUEST, RouteKind.BRANCH, RouteKind.ERROR})


class Textops(Module):
    """Functions on the text of a message.

    All of them read the message as it was received, and change what is sent on:

        if (is_method("INVITE") && has_body("application/sdp")) subst_body("/^s=.*$/s=call/");
        if (!is_present_hf("X-Site")) append_hf("X-Site: north\\r\\n");
        remove_hf("X-Internal");
        t_relay();
    """

    name = "textops"
    can_join = True

    @script_function(routes=ROUTES, effect=Effect.TESTS_METHOD)
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

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def search(self, run: Run, pattern: Regex) -> int:
        """1 if the expression is found anywhere in the message, first line included."""
        return 1 if pattern.search(run.message.raw) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def search_body(self, run: Run, pattern: Regex) -> int:
        """1 if the expression is found in the body."""
        return 1 if run.message.body and pattern.search(run.message.body) else -1

    # --- changing text ----------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def replace(self, run: Run, pattern: Regex, text: Text) -> int:
        """Put text in place of the first match behind the first line; -1 where there is none."""
        return searching.replace(run, pattern, text, behind_first_line(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def replace_body(self, run: Run, pattern: Regex, text: Text) -> int:
        """Put text in place of the first match in the body; -1 where there is none."""
        return searching.replace(run, pattern, text, in_body(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def replace_all(self, run: Run, pattern: Regex, text: Text) -> int:
        """Put text in place of all matches behind the first line; -1 where there is none, or one is empty."""
        return searching.replace_all(run, pattern, text, behind_first_line(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def replace_body_all(self, run: Run, pattern: Regex, text: Text) -> int:
        """Put text in place of all matches in the body; -1 where there is none, or one is empty."""
        return searching.replace_all(run, pattern, text, in_body(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def search_append(self, run: Run, pattern: Regex, text: Text) -> int:
        """Put text behind the first match behind the first line; -1 where there is none."""
        return searching.append(run, pattern, text, behind_first_line(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def search_append_body(self, run: Run, pattern: Regex, text: Text) -> int:
        """Put text behind the first match in the body; -1 where there is none."""
        return searching.append(run, pattern, text, in_body(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def subst(self, run: Run, substitution: Substitution) -> int:
        """Substitute behind the first line; -1 where nothing matches."""
        return _substituted(run, substitution, behind_first_line(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def subst_body(self, run: Run, substitution: Substitution) -> int:
        """Substitute in the body; -1 where nothing matches."""
        return _substituted(run, substitution, in_body(run.message))

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def subst_uri(self, run: Run, substitution: Substitution) -> int:
        """Substitute in the Request-URI; -1 where nothing matches, or no URI comes of it."""
        uri = substitution(run, run.uri)
        return 1 if uri is not None and rewrite(run, uri) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def subst_user(self, run: Run, substitution: Substitution) -> int:
        """Substitute in the user of the Request-URI; -1 where nothing matches."""
        try:
            user = substitution(run, cached_uri(run.uri).subscriber)
        except RemoteError:
            return -1
        return 1 if user is not None and change(run, lambda uri: uri.with_user(user or None)) else -1

    # --- the body -----------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def filter_body(self, run: Run, media_type: MediaType) -> int:
        """Keep of a body of several parts the first of a type, and nothing around it; -1 where there is none."""
        try:
            written = run.message.content_type
        except RemoteError:
            return -1
        boundary = None if written is None else boundary_of(written)
        part = None if boundary is None else part_of(run.message.body, boundary, media_type)
        if part is None:
            return -1
        if run.edits.body is not None:  # this part is kept already, or another one
            return 1 if run.edits.body == part.content else -1
        run.edits.set_body(part.content)
        run.edits.remove("Content-Type")
        run.edits.append_header(f"Content-Type: {part.media_type}\r\n")
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
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
        return 1 if "".join(written.split()).lower() == media_type else -1

    # --- headers ------------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def is_present_hf(self, run: Run, name: HeaderName) -> int:
        """1 if the message has such a header, in its long or compact form."""
        return 1 if run.message.has(name) else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def append_hf(self, run: Run, text: Format, after: HeaderName | None = None) -> int:
        """Add header text after the last header, or after the first of a name."""
        line = _lines(text(run))
        if after is None:
            run.edits.append_header(line)
        else:
            run.edits.append_after(line, after)
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def insert_hf(self, run: Run, text: Format, before: HeaderName | None = None) -> int:
        """Add header text before all headers, or before the first of a name."""
        run.edits.insert_header(_lines(text(run)), before)
        return 1

    @script_function(routes=REQUEST_FAILURE_BRANCH, effect=Effect.NONE)
    def append_urihf(self, run: Run, prefix: Text, suffix: Text) -> int:
        """Add the Request-URI as it was received, between two texts, behind the last header."""
        run.edits.append_header(_lines(f"{prefix}{run.request.uri}{suffix}"))
        return 1

    @script_function(routes=REQUEST_FAILURE_BRANCH, effect=Effect.NONE)
    def append_time(self, run: Run) -> int:
        """Add a Date to every reply that is made here for this request."""
        run.state.reply_headers += f"Date: {formatdate(run.wall, usegmt=True)}\r\n"
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def is_privacy(self, run: Run, kind: Privacy) -> int:
        """1 if the sender asks for this kind of privacy."""
        asked = {
            word.strip().lower()
            for line in run.message.all("Privacy")
            for word in line.replace(",", ";").split(";")
        }
        return 1 if kind in asked else -1

    @script_function(routes=REPLY_ROUTES, effect=Effect.NONE)
    def append_to_reply(self, run: Run, text: Format) -> int:
        """Add header text to every reply that is made here for this request."""
        run.state.reply_headers += _lines(text(run))
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def remove_hf(self, run: Run, name: HeaderName) -> int:
        """Remove all headers of a name; 1 if one was received, removed before or not."""
        run.edits.remove(name)
        return 1 if run.message.has(name) else -1


def _lines(text: str) -> str:
    """Header text whose lines all end, and none of which is empty: that would end the headers."""
    lines = (line.rstrip("\r") for line in text.split("\n"))
    return "".join(f"{line}\r\n" for line in lines if line)


def _substituted(run: Run, substitution: SubstitutionText, start: int) -> int:
    data = run.message.raw
    changes = substitution.changes(run, data, start) if start < len(data) else []
    for first, end, text in changes:
        run.edits.replace(first, end, text)
    return 1 if changes else -1
