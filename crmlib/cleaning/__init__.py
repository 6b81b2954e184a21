"""One function per defect, and the ledger that must balance."""
