"""The script functions of the core, joined: openser 1.3's table, by subject in the files named `core...`."""

from __future__ import annotations

from openpy.engine.corebranches import BRANCH_FUNCTIONS
from openpy.engine.coreflags import FLAG_FUNCTIONS
from openpy.engine.coresending import SENDING_FUNCTIONS
from openpy.engine.coretexts import TEXT_FUNCTIONS
from openpy.engine.coreuri import URI_FUNCTIONS
from openpy.script.environment import Function

CORE_FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        *FLAG_FUNCTIONS,
        *URI_FUNCTIONS,
        *BRANCH_FUNCTIONS,
        *SENDING_FUNCTIONS,
        *TEXT_FUNCTIONS,
    )
}
"""By first name; the other names are those of `script.corenames`."""
