"""The commands by which an rtpproxy is told of a session, as text, and what it answers.

A session is known by Call-ID and the tags of its dialog; `number` counts its media from 1. An offer makes what is
needed (`U`), an answer completes it (`L`), and both are told a port and mostly an address, where the other side sends
its media.
"""

from __future__ import annotations

from typing import NamedTuple

from openpy.sip.message import Message


class Session(NamedTuple):
    """Who talks to whom: the first tag is that of who made the offer."""

    call_id: str
    from_tag: str
    to_tag: str

    @property
    def can_be_told(self) -> bool:
        """Whether it has the first tag, and nothing that would be another word of a command."""
        return bool(self.from_tag) and not any(map(str.isspace, "".join(self)))

    @property
    def swapped(self) -> Session:
        """The same where the other side made the offer."""
        return Session(self.call_id, self.to_tag, self.from_tag)


class Media(NamedTuple):
    """Where somebody expects a medium, or where it is to be sent instead; the host may be unsaid ("")."""

    host: str
    port: int


def session_of(message: Message) -> Session:
    """The session of a message."""
    return Session(message.call_id, message.from_.tag, message.to.tag)


def offer(session: Session, media: Media, number: int, options: str) -> str:
    """Somebody expects a medium there, and makes an offer."""
    return _update("U", session, media, number, options)


def answer(session: Session, media: Media, number: int, options: str) -> str:
    """The other side expects it there."""
    return _update("L", session, media, number, options)


def _update(letter: str, session: Session, media: Media, number: int, options: str) -> str:
    options += "6" if ":" in media.host else ""
    tags = " ".join(f"{tag};{number}" for tag in (session.from_tag, session.to_tag) if tag)
    return f"{letter}{options} {session.call_id} {media.host} {media.port} {tags}"


def delete(session: Session) -> str:
    """The session is over."""
    return _about("D", session)


def record(session: Session) -> str:
    """Its media is to be written to files."""
    return _about("R", session)


def _about(letter: str, session: Session) -> str:
    return " ".join(filter(None, (letter, session.call_id, session.from_tag, session.to_tag)))


def media_in(reply: str) -> Media | None:
    """The place that a reply names, `port [address]`; None where it names none: there is no such session."""
    words = reply.split()
    if not words or not (words[0].isascii() and words[0].isdigit()) or not 0 < int(words[0][:6]) < 65536:
        return None
    return Media(words[1] if len(words) > 1 and not words[1].startswith("IP") else "", int(words[0]))
