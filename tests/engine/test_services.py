from __future__ import annotations

import inspect
from typing import Any

from openpy.engine.server import Server
from openpy.engine.services import Services


def test_the_server_offers_every_service_in_the_same_shape() -> None:
    server: Services = Server()
    for name in Services.__annotations__:
        assert hasattr(server, name)
    for name, declared in vars(Services).items():
        if inspect.isfunction(declared) and not name.startswith("_"):
            offered = getattr(server, name)
            wanted = list(inspect.signature(declared).parameters)[1:]
            assert [*inspect.signature(offered).parameters] == wanted, name
            assert inspect.getdoc(declared), name


def test_a_protocol_does_nothing_itself() -> None:
    nobody: Any = object()
    protocol: Any = Services
    assert protocol.token(nobody) is None
    assert protocol.module(nobody, "tm") is None
    assert protocol.is_myself(nobody, "host", 0) is None
