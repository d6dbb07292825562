"""Why a REGISTER is refused: the texts of 1.3's header P-Registrar-Error, each with its reply."""

from __future__ import annotations

from enum import Enum

BAD_REQUEST = 400, "Bad Request"
BAD_EXTENSION = 420, "Bad Extension"
SERVER_ERROR = 500, "Server Internal Error"


class Reason(Enum):
    """A refusal: status, reason phrase and text."""

    RECORD_GET = (*SERVER_ERROR, "usrloc_record_get failed")
    RECORD_DELETE = (*SERVER_ERROR, "usrloc_record_delete failed")
    CONTACT_INSERT = (*SERVER_ERROR, "usrloc_contact_insert failed")
    CONTACT_UPDATE = (*SERVER_ERROR, "usrloc_contact_update failed")
    CONTACT_DELETE = (*SERVER_ERROR, "usrloc_contact_delete failed")
    AOR_LENGTH = (*SERVER_ERROR, "Address Of Record too long")
    CSEQ = (*BAD_REQUEST, "Invalid CSeq number")
    NO_USER = (*BAD_REQUEST, "No username in To URI")
    AOR = (*BAD_REQUEST, "Error while parsing AOR")
    Q = (*BAD_REQUEST, "Invalid q param in contact")
    CONTACT = (*BAD_REQUEST, "Contact parse error")
    MESSAGE = (*BAD_REQUEST, "Message parse error")
    STAR_EXPIRES = (*BAD_REQUEST, "* used in contact and expires is not zero")
    UNESCAPE = (*BAD_REQUEST, "Error while unescaping username")
    CONTACT_LENGTH = (*BAD_REQUEST, "Contact/received too long")
    CALL_ID_LENGTH = (*BAD_REQUEST, "Callid too long")
    PATH = (*BAD_REQUEST, "Path parse error")
    TOO_MANY = (503, "Service Unavailable", "Too many registered contacts")
    PATH_UNSUPPORTED = (*BAD_EXTENSION, "No support for found Path indicated")
    EXTENSION = (*BAD_EXTENSION, "Required extension not supported")
    """Not of 1.3, which never looked (RFC 3261 10.3 step 2)."""


class Failure(Exception):
    """A REGISTER is refused, and nothing is changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value[2])
        self.reason = reason

    @property
    def status(self) -> int:
        """The status to answer with."""
        return self.reason.value[0]

    @property
    def is_passing(self) -> bool:
        """Whether it may be better soon: the database did not take it."""
        return self.status == SERVER_ERROR[0] and self.reason is not Reason.AOR_LENGTH

    @property
    def phrase(self) -> str:
        """Its reason phrase."""
        return self.reason.value[1]

    @property
    def text(self) -> str:
        """What P-Registrar-Error says."""
        return self.reason.value[2]
