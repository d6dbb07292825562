"""Tells senders that their message waits."""

from __future__ import annotations

from openpy.engine.destinations import DestinationError
from openpy.engine.services import Services
from openpy.engine.waiting import Stepper
from openpy.modules.msilo.messages import Message, notice
from openpy.modules.tm.api import OwnRequest, TmApi
from openpy.sip.errors import LocalError
from openpy.sip.message import Request


class Notices:
    """Sends them; nobody waits for what becomes of one."""

    __slots__ = ("_services", "_tm")

    def __init__(self, services: Services, tm: TmApi) -> None:
        self._services = services
        self._tm = tm

    def tell(
        self, request: Request, message: Message, registrar: str, next_hop: str, *, at_contact: bool
    ) -> None:
        """Tell the sender of a request, at its Contact if it has one, or else at its From."""
        contacts = request.contacts if at_contact else []
        uri = contacts[0].uri_text if isinstance(contacts, list) and contacts else message.sender
        told = notice(message, uri, registrar, self._services.token(), next_hop)
        Stepper(self._send(told), self._ended).step()

    async def _send(self, request: OwnRequest) -> None:
        await self._tm.request(request)

    def _ended(self, _: None, error: BaseException | None) -> None:
        log = self._services.log
        if isinstance(error, DestinationError | LocalError):
            log.warning("msilo", f"a sender cannot be told that a message waits: {error}")
        elif error is not None:
            log.error("msilo", f"a sender was not told: {error!r}")
