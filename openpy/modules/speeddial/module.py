"""speeddial: short numbers of users in a table."""

from __future__ import annotations

from openpy.engine.checks import identifier
from openpy.engine.lookups import TableName
from openpy.engine.module import REQUEST, Effect, Format, Param, script_function
from openpy.engine.requesturi import rewrite
from openpy.engine.run import Run
from openpy.engine.usertables import UserTable
from openpy.modules.speeddial.tables import SpeedDial
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri


class Speeddial(UserTable):
    """Replaces a short number in the Request-URI by the URI that its owner keeps under it.

    Each user has numbers of their own, in the table that the script names:

        if (uri =~ "^sip:[0-9]{2}@" && !sd_lookup("speed_dial")) { sl_send_reply("404", "Not Found"); exit; }
        t_relay();
    """

    name = "speeddial"
    layout = SpeedDial

    sd_user_column = Param(str, "sd_username", "Column of the short number", check=identifier)
    sd_domain_column = Param(
        str, "sd_domain", "Column of the short number's domain, for use_domain", check=identifier
    )
    new_uri_column = Param(str, "new_uri", "Column of the URI that it stands for", check=identifier)

    def users(self) -> list[str]:
        """The owner and the short number."""
        return [self.user_column, self.sd_user_column]

    def domains(self) -> list[str]:
        """Theirs."""
        return [self.domain_column, self.sd_domain_column]

    def columns(self) -> list[str]:
        """What it stands for."""
        return [self.new_uri_column]

    @script_function(routes=REQUEST, effect=Effect.NONE)
    async def sd_lookup(self, run: Run, table: TableName, owner: Format | None = None) -> int:
        """Replace the Request-URI by what the owner (a URI; by default that of From) keeps under it; -1: nothing."""
        try:
            called = cached_uri(run.uri)
            caller = run.message.from_.uri if owner is None else cached_uri(owner(run))
        except RemoteError:
            return -1
        if not (called.is_sip and caller.is_sip and called.user and caller.user):
            return -1
        row = await self.find(run, table, [caller.user, called.user], [caller, called])
        return 1 if row and self._call(run, row[0]) else -1

    def _call(self, run: Run, uri: object) -> bool:
        try:
            return isinstance(uri, str) and bool(cached_uri(uri)) and rewrite(run, uri)
        except RemoteError:
            self.services.log.warning(self.name, f'"{uri}" in {self.new_uri_column} is no URI')
            return False
