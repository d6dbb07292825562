"""uri: what the Request-URI says, and whether a user is who was authenticated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Effect,
    Module,
    PseudoVariable,
    RouteKind,
    Text,
    script_function,
)
from openpy.engine.requesturi import change
from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, cached_uri, parse_uri

_PARAMETER: Final = re.compile(r"[^\s<>?;\"\x00-\x1f\x7f]+(?:;[^\s<>?;\"\x00-\x1f\x7f]+)*")


@dataclass(frozen=True, slots=True)
class UriParameterKind:
    """What can be appended to a URI: `name`, `name=value`, or nothing."""

    description: str = "a URI parameter such as user=phone"

    def convert(self, text: str, environment: Any) -> str:
        """Check; raises ArgumentError."""
        if text and not _PARAMETER.fullmatch(text):
            raise ArgumentError(f'"{text}" is no parameter of a URI; write name or name=value')
        return text


class UriModule(Module):
    """Looks at URIs of a request, and changes parameters of the Request-URI.

    `is_user` is about who was authenticated by a function of auth or auth_db.

        tel2sip();
        if (is_uri_user_e164("$ru")) add_uri_param("user=phone");
        if (!has_totag()) record_route();
        t_relay();
    """

    name = "uri"

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def is_user(self, run: Run, name: Text) -> int:
        """Whether the request was authenticated as this user."""
        credentials = run.state.credentials
        return 1 if credentials is not None and credentials.user == name else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def has_totag(self, run: Run) -> int:
        """Whether To has a tag: the request belongs to a dialog."""
        try:
            return 1 if run.message.to.tag else -1
        except RemoteError:
            return -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def uri_param(self, run: Run, name: Text, value: Text = "") -> int:
        """Whether the Request-URI has this parameter, without a value, or with exactly this one."""
        try:
            params = cached_uri(run.uri).params
        except RemoteError:
            return -1
        found = next((text or "" for key, text in params if key == name), None)
        return 1 if found == value else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def add_uri_param(self, run: Run, parameter: Annotated[str, UriParameterKind()]) -> int:
        """Append a parameter to the Request-URI, before its headers."""

        def added(uri: Uri) -> Uri:
            bare = Uri(uri.scheme, uri.user, uri.password, uri.host, uri.port, uri.params)
            headers = f"?{uri.headers}" if uri.headers else ""
            return parse_uri(f"{bare};{parameter}{headers}")

        return 1 if not parameter or change(run, added) else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def tel2sip(self, run: Run) -> int:
        """Make `sip:N@domain;user=phone` of a Request-URI `tel:N`; the domain is that of From."""
        try:
            if cached_uri(run.uri).scheme != "tel":
                return 1
            caller = run.message.from_.uri
        except RemoteError:
            return -1
        if not caller.is_sip:
            return -1

        def telephone(uri: Uri) -> Uri:
            return Uri("sip", uri.host, None, caller.host, None, (("user", "phone"),))

        return 1 if change(run, telephone) else -1

    @script_function(routes=frozenset({RouteKind.REQUEST, RouteKind.FAILURE}), effect=Effect.NONE)
    def is_uri_user_e164(self, run: Run, uri: PseudoVariable) -> int:
        """Whether the user of a URI begins with `+` and has 3 to 16 characters, digits or not."""
        text = uri(run)
        try:
            user = cached_uri(text).subscriber if isinstance(text, str) else ""
        except RemoteError:
            return -1
        return 1 if user.startswith("+") and 3 <= len(user) <= 16 else -1
