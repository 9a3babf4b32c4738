"""Floor 2: everything said to and heard from a bank, and the simulated bank."""
