"""An AoR, as far as it needs no database."""

from __future__ import annotations

from openpy.db.statements import Delete
from openpy.modules.usrloc.record import NEVER, Record
from tests.modules.usrloc.kit import NOW, THROUGH, Home, contact


def test_when_its_first_contact_runs_out() -> None:
    soon, late, ever = contact(expires=NOW + 5), contact(expires=NOW + 9), contact(expires=0)
    assert Record("bob").first_expiry() == NEVER
    assert Record("bob", (ever,)).first_expiry() == NEVER
    assert Record("bob", (late,)).first_expiry() == NOW + 9
    assert Record("bob", (ever, late, soon)).first_expiry() == NOW + 5


def test_what_keeps_it() -> None:
    read, full, lost, waiting = (Record("bob") for _ in range(4))
    read.readers = waiting.outstanding = 1
    full.contacts = (contact(),)
    lost.lost = (Delete(Home(THROUGH).rows.table, 1),)
    assert [record.is_idle for record in (Record("bob"), read, full, lost, waiting)] == [True, *[False] * 4]
