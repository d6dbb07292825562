"""All rules, by code and by subject."""

from __future__ import annotations

from types import ModuleType

from openpy.script.rules import calls, conditions, files, routes, settings, statements, text, values, ways
from openpy.script.rules.rule import Rule

SUBJECTS: dict[str, tuple[ModuleType, ...]] = {
    "Text": (text, statements),
    "Names and files": (files,),
    "Parameters and modules": (settings,),
    "Routes": (routes,),
    "Calls": (calls,),
    "Variables and values": (values,),
    "Conditions and patterns": (conditions,),
    "Ways through the script": (ways,),
}
"""The tables of each subject; the first digit of their codes is its place here."""


def rules_of(subject: str) -> list[Rule]:
    """The rules of one subject, by number."""
    found = [item for table in SUBJECTS[subject] for item in vars(table).values() if isinstance(item, Rule)]
    return sorted(found, key=lambda rule: rule.code[1:])


RULES: dict[str, Rule] = {rule.code: rule for subject in SUBJECTS for rule in rules_of(subject)}
"""Every rule by its code."""
