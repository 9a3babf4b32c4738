"""The acts of the banks floor: importing statements, asking banks, keeping connections."""
