"""examples/weather: an event package outside openpy, found by its entry point."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from openpy.documents import watcherinfo
from openpy.engine.module import Module, ModuleError
from openpy.engine.modulefinder import find_module
from tests.conftest import ROOT
from tests.modules.presence.kit import House

FOLDER = ROOT / "examples" / "weather"
TEXT = "text/plain"


@pytest.fixture
def weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Module]:
    """The module's class, with its package installed as pip would do it."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    information = tmp_path / "openpy_weather-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = [f"{name} = {value}\n" for name, value in project["entry-points"]["openpy.modules"].items()]
    (information / "entry_points.txt").write_text("[openpy.modules]\n" + "".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(FOLDER))
    return find_module("weather.so")


def publish(house: House, body: bytes) -> int:
    return house.publish(body, event="weather", content_type=TEXT).status


def watch(house: House, who: str, event: str = "weather") -> tuple[str | None, bytes]:
    assert house.subscribe(event=event, from_=f"<sip:{who}>;tag=t").status == 200
    notify = house.take()[-1]
    return notify.get("Subscription-State"), notify.body


def test_it_is_short() -> None:
    assert len((FOLDER / "weather.py").read_text().splitlines()) < 60


def test_it_adds_an_event_with_aggregation_authorization_and_watcher_information(
    weather: type[Module],
) -> None:
    house = House(further=(weather, {"friend": "sip:bob@example.net"}))
    assert publish(house, b"outdoors: rain") == 200
    assert publish(house, b"indoors: dry") == 200
    assert publish(house, "drau\u00dfen".encode()) == 400
    assert watch(house, "bob@example.net") == ("active;expires=600", b"outdoors: rain\r\nindoors: dry\r\n")
    assert watch(house, "carol@example.org") == ("active;expires=600", b"outdoors: rain\r\n")
    assert watch(house, "dave@example.com") == ("pending;expires=600", b"")
    _, body = watch(house, "alice@example.org", "weather.winfo")
    watchers = watcherinfo.parse(body).lists[0].watchers
    assert [(item.uri, item.status) for item in watchers] == [
        ("sip:bob@example.net", "active"),
        ("sip:carol@example.org", "active"),
        ("sip:dave@example.com", "pending"),
    ]
    publish(house, b"indoors: damp")
    assert [item.to.uri_text for item in house.take()] == ["sip:bob@example.net"]


def test_it_needs_presence(weather: type[Module]) -> None:
    house = House()
    house.modules.clear()
    with pytest.raises(ModuleError, match="needs presence"):
        weather(house).check()
