"""Pages of the payments floor."""
