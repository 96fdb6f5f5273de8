"""`python -m tidings.simulator`: the simulator as a process of its own."""

from __future__ import annotations

import sys

from tidings.simulator.run import main

if __name__ == "__main__":
    sys.exit(main())
