"""The script that the scenarios run."""

from __future__ import annotations

SCRIPT = """\
debug=2
log_stderror=yes

loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"

modparam("presence", "db_url", "sqlite:///{database}")
modparam("presence_xml", "force_active", 1)
{settings}

route {{
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("OPTIONS")) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	if (!is_method("PUBLISH|SUBSCRIBE")) {{
		if (!is_method("ACK|CANCEL"))
			sl_send_reply("405", "Method Not Allowed");
		exit;
	}}
	if (!t_newtran()) {{
		sl_reply_error();
		exit;
	}}
	if (is_method("PUBLISH"))
		{publish};
	else
		handle_subscribe();
	t_release();
	exit;
}}
"""

DATABASE = "presence.sqlite"
"""The database's file, beside the script."""

QUICK = 'modparam("tm", "T1_timer", 50)\nmodparam("tm", "T2_timer", 200)'
"""Timers that make a NOTIFY without an answer fail after 3.2 s."""


def presence_script(*settings: str, publish: str = "handle_publish()") -> str:
    """A presence server with further lines of settings, which publishes by this call."""
    return SCRIPT.format(database=DATABASE, settings="\n".join(settings), publish=publish)


def presence(**values: int | str) -> str:
    """The modparam lines that set parameters of the module presence."""
    return "\n".join(f'modparam("presence", "{name}", {_literal(value)})' for name, value in values.items())


def _literal(value: int | str) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
