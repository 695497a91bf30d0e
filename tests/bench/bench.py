"""make bench: every table, or those named as arguments."""
import sys

import gate

TABLES = {"gate": gate.run}

for name in sys.argv[1:] or TABLES:
    TABLES[name]()
