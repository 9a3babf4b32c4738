"""Floor 1: companies, accounts, money, access, audit, maker-checker, and the portal's shell."""
