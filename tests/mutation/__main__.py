"""`make mutants`: breaks each promise in a copy of the source, and says which seed and which test find it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.mutation.check import broken_seed, copy, failed_test
from tests.mutation.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
SEEDS = 400


def main() -> int:
    """Check the mutants whose names contain the arguments, or all; 1 if one survives."""
    survivors = []
    for mutant in MUTANTS:
        if not all(word in mutant.name for word in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            copy(ROOT, folder)
            mutant.apply(folder)
            seed, test = broken_seed(folder, SEEDS), failed_test(folder, mutant.tests)
        print(f"{mutant.name}\n    {seed or 'no seed'}\n    {test or 'no unit test'}", flush=True)
        if not (seed or test):
            survivors.append(mutant.name)
    print(f"survivors: {', '.join(survivors) or 'none'}")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())
