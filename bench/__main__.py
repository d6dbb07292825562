"""`python -m bench`: measures a server, openpy by default, and prints what one operation costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.generator import Generator
from bench.measurement import Row
from bench.report import summarize, table, write_json
from bench.scenarios import SCENARIOS, Conditions, Stand
from bench.server import OPENPY, Server, ServerError
from bench.steady import STEADY

ALL = {**SCENARIOS, **STEADY}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 1 if the server does not start or any request failed."""
    options = _parser().parse_args(arguments)
    conditions = Conditions(options.window, options.limit, options.users)
    command = f"{OPENPY} --compiled" if options.compiled else options.server_cmd
    rows: list[Row] = []
    try:
        for _ in range(options.repeat):
            for scenario in options.scenarios:
                rows += run(command, scenario, conditions)
    except ServerError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(summarize(rows)))
    if options.json:
        about = {"command": command, "window": options.window, "limit": options.limit}
        write_json(options.json, rows, about)
    failed = sum(row.errors for row in rows)
    if failed:
        print(f"bench: {failed} errors: these figures are no result", file=sys.stderr)
    return 1 if failed else 0


def run(command: str, scenario: str, conditions: Conditions) -> list[Row]:
    """One scenario against a fresh server; tells each phase on stderr. Raises ServerError."""
    rows: list[Row] = []
    with Server(command) as server, Generator(server.address) as generator:
        for row in ALL[scenario](Stand(generator, server.meter, conditions)):
            rows.append(row)
            codes = "".join(f", {count} x {code}" for code, count in row.refused.items())
            print(
                f"{row.scenario}: {row.cpu_us:.1f} us, {row.per_second:.0f} per second, {row.errors} errors{codes}",
                file=sys.stderr,
            )
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m bench", description="What one SIP operation costs the server."
    )
    parser.add_argument(
        "--scenarios",
        type=_scenarios,
        default=list(SCENARIOS),
        help=f"default: {','.join(SCENARIOS)}; also {','.join(STEADY)}",
    )
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the table gives medians (default: 3)")
    parser.add_argument(
        "--window", type=int, default=Conditions().window, help="requests in flight (default: 64)"
    )
    parser.add_argument("--limit", type=float, default=1.0, help="longest seconds of a phase (default: 1)")
    parser.add_argument("--users", type=int, default=Conditions().users, help="presentities (default: 10000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--compiled", action="store_true", help="the build that `make compiled` made")
    which.add_argument(
        "--server-cmd",
        default=OPENPY,
        metavar="COMMAND",
        help="another server: a command line with {port} and {workdir}; stays in the foreground, ends on SIGTERM",
    )
    return parser


def _scenarios(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in ALL:
            raise argparse.ArgumentTypeError(f"no scenario {name}: there are {', '.join(ALL)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
