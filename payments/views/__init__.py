"""Pages of the payments floor: entry, import, approval, beneficiaries, rules, vouchers, sweeps."""
