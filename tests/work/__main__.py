"""`python -m tests.work`: what each operation costs now, beside its budget; `--write` makes that the budgets."""

from __future__ import annotations

import argparse

from tests.work import budget


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m tests.work", description=__doc__)
    parser.add_argument("--write", action="store_true", help="make these the budgets")
    options = parser.parse_args()
    figures, budgets = budget.measured(), budget.read() if budget.PATH.exists() else {}
    for name, work in figures.items():
        told = (f"{kind} {value:g} ({budgets.get(name, {}).get(kind, 0):g})" for kind, value in work.items())
        print(f"{name:<20}", ", ".join(told))
    for line in budget.too_much(figures, budgets):
        print("too much:", line)
    for line in budget.too_generous(figures, budgets):
        print("could be lower:", line)
    if options.write:
        budget.write(figures)


if __name__ == "__main__":
    main()
