"""`python -m openpy`: the same as the command `openpy`."""

import sys

from openpy.cli.openpy import main

sys.exit(main())
