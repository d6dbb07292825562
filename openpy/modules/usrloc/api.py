"""What usrloc is for other modules (openser 1.3: `ul_bind_usrloc`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpy.modules.usrloc.contacts import (
    ALL_METHODS,
    MEMORY_ONLY,
    UNSET_Q,
    Age,
    Contact,
    Contacts,
    Rules,
    age,
    alive,
    find,
    placed,
    readable_uri,
)
from openpy.modules.usrloc.domain import Domain, Happening, Take, Watcher
from openpy.modules.usrloc.record import Undone
from openpy.modules.usrloc.rows import Misfit

if TYPE_CHECKING:
    from openpy.modules.usrloc.module import Usrloc

__all__ = [
    "ALL_METHODS",
    "MEMORY_ONLY",
    "UNSET_Q",
    "Age",
    "Contact",
    "Contacts",
    "Domain",
    "Happening",
    "Misfit",
    "Rules",
    "Take",
    "Undone",
    "UsrlocApi",
    "Watcher",
    "age",
    "alive",
    "find",
    "placed",
    "readable_uri",
]


class UsrlocApi:
    """The tables of contacts, and who hears of what happens in them."""

    def __init__(self, module: Usrloc) -> None:
        self._module = module

    @property
    def use_domain(self) -> bool:
        """Whether an AoR is `user@domain`; else it is `user`."""
        return bool(self._module.use_domain)

    @property
    def db_mode(self) -> int:
        """0 memory, 1 write-through, 2 write-back, 3 database only."""
        return self._module.db_mode

    @property
    def nat_flag(self) -> int:
        """The mask of the branch flag that marks contacts behind a NAT; 0: there is none."""
        return 1 << self._module.nat_bflag if self._module.nat_bflag >= 0 else 0

    @property
    def rules(self) -> Rules:
        """How contacts are found and ordered."""
        return self._module.rules

    def register(self, table: str) -> None:
        """Make a table known, which is opened at the start. To be called while the script is read."""
        self._module.tables[table] = None

    def domain(self, table: str) -> Domain:
        """A table that was registered; there are some once usrloc has started. Raises LookupError."""
        return self._module.domains[table]

    def watch(self, watcher: Watcher) -> None:
        """Be told of every contact that is inserted, updated, deleted or has expired, in any table."""
        self._module.watchers.append(watcher)

    def portion(self, number: int, of: int, take: Take) -> None:
        """Give `take` a share of the contacts of each table: those whose id leaves this remainder, see Domain."""
        for domain in self._module.domains.values():
            domain.portion(number, of, take)
