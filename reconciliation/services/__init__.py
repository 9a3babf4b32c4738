"""The acts of reconciliation: booking ledger files, matching, the adjustment statement, closing."""
