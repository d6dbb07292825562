"""Declarations as Markdown."""

from __future__ import annotations

from dataclasses import replace

from openpy.editor import describing
from openpy.editor.catalogue import functions, installed
from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.script.environment import Refusal
from openpy.script.transformations import TRANSFORMATIONS


def test_functions() -> None:
    text = describing.function_text(functions()["t_reply"])
    assert text.startswith("```openser\nt_reply(code, reason)\n```\nReply through")
    assert "- `code`: a status code" in text
    assert "Module tm; in failure_route, route" in text
    assert describing.signature(functions()["handle_publish"]) == "handle_publish([sender])"
    refused = replace(functions()["t_reply"], refusal=Refusal("there is no database", "add one"))
    assert "Cannot be used here: there is no database" in describing.function_text(refused)
    overloaded = replace(functions()["t_reply"], overload=CORE_FUNCTIONS["setflag"])
    assert "\n---\n" in describing.function_text(overloaded)
    assert "in all routes" in describing.function_text(CORE_FUNCTIONS["setflag"])


def test_parameters() -> None:
    tm, presence = installed()["tm"], installed()["presence"]
    text = describing.parameter_text(tm, tm.parameters()["fr_timer"])
    assert 'modparam("tm", "fr_timer", ...)' in text
    assert "Takes a number; default: `" in text
    assert "Takes a string; default: unset" in describing.parameter_text(
        presence, presence.parameters()["db_url"]
    )


def test_core_parameters() -> None:
    specs = {spec.name: spec for spec in CORE_PARAMETERS}
    assert "default: `2`" in describing.core_parameter_text(specs["debug"])
    assert "(accepted, without effect)" in describing.core_parameter_text(specs["fork"])


def test_modules() -> None:
    text = describing.module_text(installed()["presence"])
    assert 'loadmodule "presence.so"' in text
    assert "Must be loaded before it: a database module, sl, tm" in text
    assert "`handle_publish`" in text
    assert "Functions" not in describing.module_text(installed()["sqlite"])


def test_variables_and_transformations() -> None:
    assert "$(hdr(name)[index])" in describing.variable_text(PSEUDO_VARIABLES["hdr"])
    assert describing.variable_text(PSEUDO_VARIABLES["ru"]).endswith("Can be assigned")
    assert describing.variable_text(PSEUDO_VARIABLES["si"]).endswith("Read-only")
    assert "{s.len}" in describing.transformation_text(TRANSFORMATIONS["s.len"])
    assert "Takes 2 parameters" in describing.transformation_text(TRANSFORMATIONS["s.substr"])
