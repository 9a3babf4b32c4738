"""Pages of reconciliation: overview, the two-sided screen, journals, matches, sheets and closes."""
