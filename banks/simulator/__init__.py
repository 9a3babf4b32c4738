"""A bank of its own: another process with its own ledger and store, used for tests and demos.

It knows nothing of the portal: it speaks HTTP, keeps double-entry books in SQLite and can
misbehave on command. Nothing here imports portal code except `banks.formats` (and the message
records those write from). Run it with `python -m banks.simulator` or `manage.py simulate_bank`.
"""
