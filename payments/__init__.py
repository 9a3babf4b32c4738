"""Floor 3: beneficiaries, payments, who must approve them, dispatch and sweeps."""
