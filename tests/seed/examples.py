"""The examples of the presence module's documentation of 1.3, line by line, and a script to run them in."""

from __future__ import annotations

from pathlib import Path

MYSQL_URL = 'modparam("presence", "db_url", \n\t"mysql://openser:openserrw@192.168.2.132/openser")'
"""Example 1-1."""

PARAMETERS = {
    "1-2": 'modparam("presence", "presentity_table", "presentity");',
    "1-3": 'modparam("presence", "active_watchers_table", "active_watchers")',
    "1-4": 'modparam("presence", "watchers_table", "watchers")',
    "1-5": 'modparam("presence", "clean_period", 100)',
    "1-6": 'modparam("presence", "to_tag_pref", \'pres\')',
    "1-7": 'modparam("presence", "expires_offset", 10)',
    "1-8": 'modparam("presence", "max_expires", 3600)',
    "1-9": 'modparam("presence", "server_address", "sip:10.10.10.10:5060")',
    "1-10": 'modparam("presence", "fallback2db", 1)',
    "1-11": 'modparam("presence", "subs_htable_size", 11)',
    "1-12": 'modparam("presence", "pres_htable_size", 11)',
}

HANDLE_PUBLISH = (
    '\tif(is_method("PUBLISH"))\n\t{\n\t\tif($hdr(Sender)!= NULL)\n\t\t\thandle_publish("$hdr(Sender)");\n'
    "\t\telse\n\t\t\thandle_publish();\n\t\tt_release();\n\t} \n"
)
"""Example 1-13."""

HANDLE_SUBSCRIBE = 'if(method=="SUBSCRIBE")\n    handle_subscribe();\n'
"""Example 1-14."""

EXAMPLES = {"1-1": MYSQL_URL, **PARAMETERS, "1-13": HANDLE_PUBLISH, "1-14": HANDLE_SUBSCRIBE}

MODULES = ("sqlite", "sl", "tm", "textops", "presence", "presence_xml")
DATABASE = "seed.sqlite"
SQLITE_URL = f'modparam("presence", "db_url", "sqlite:///{DATABASE}")'


def script(*parameters: str, database: str = SQLITE_URL) -> str:
    """The smallest script around examples 1-13 and 1-14 that has these parameters."""
    loads = "".join(f'loadmodule "{name}.so"\n' for name in MODULES)
    lines = [database, *parameters, 'modparam("presence_xml", "force_active", 1)']
    rest = 'if (!is_method("PUBLISH|SUBSCRIBE")) sl_send_reply("405", "Method Not Allowed");'
    return loads + "\n".join(lines) + f"\nroute {{\n{HANDLE_PUBLISH}{HANDLE_SUBSCRIBE}{rest}\n}}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "openser.cfg"
    path.write_text(text)
    return path
