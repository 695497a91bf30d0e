"""make bench: every table, or those named as arguments."""
import sys

import gate
import inspection
import sweep

TABLES = {"gate": gate.run, "inspection": inspection.run, "sweep": sweep.run}

for name in sys.argv[1:] or TABLES:
    TABLES[name]()
