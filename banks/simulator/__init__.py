"""A bank of its own: another process with its own ledger and store, knowing nothing of the portal."""
