"""What is known of a script while it is being read, which all who read it add to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from openpy.engine.blacklists import Blacklist, DeadTargets
from openpy.engine.config import CoreConfig
from openpy.engine.module import Module
from openpy.engine.services import Services
from openpy.script.diagnostics import Diagnostic
from openpy.script.environment import Rest, rest_never
from openpy.script.syntax import FlagName, Position, TlsDomain


@dataclass(frozen=True, slots=True)
class Standing:
    """What runs already, where a script is read for a server that runs.

    The modules that are made for it here are configured and checked only. The compiled script calls those that run,
    and for one that is new another instance, made with `services` and configured, but not checked yet.
    """

    services: Services
    modules: Mapping[str, Module]
    dead_targets: DeadTargets | None
    rest: Rest
    """Called often: the server has something better to do."""


@dataclass(slots=True)
class Loading:
    """The state of it; `modules` are those that are loaded so far."""

    services: Services
    config: CoreConfig
    modules: dict[str, Module]
    blacklists: dict[str, Blacklist]
    standing: Standing | None
    folder: Path  # where the script is
    is_whole: bool  # else mistakes of syntax took statements out of it, perhaps a loadmodule
    absent: list[str] = field(default_factory=list)  # modules that could not be loaded
    meant: dict[str, Module] = field(default_factory=dict)  # what was probably meant by some of these
    lacks_modules: bool = False  # what was meant by one of them is not known
    told: set[str] = field(default_factory=set)  # modules that are told to be missing
    flags: list[FlagName] = field(default_factory=list)
    tls_domains: list[TlsDomain] = field(default_factory=list)
    places: dict[str, Position] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)

    def note(self, found: Diagnostic | None) -> None:
        """Keep what was found, if anything was."""
        if found is not None:
            self.found.append(found)

    @property
    def rest(self) -> Rest:
        """Called often: the server may have something better to do."""
        return rest_never if self.standing is None else self.standing.rest
