"""Floor 4: what the bank says against what the books say."""
