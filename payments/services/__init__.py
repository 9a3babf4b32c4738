"""The acts of the payments floor: preparing, approving, dispatching, sweeping."""
