"""The acts of the ground floor: audit, access, changes that need two people, moving states, rates."""
