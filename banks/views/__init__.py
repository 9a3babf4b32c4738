"""Pages of the banks floor."""
