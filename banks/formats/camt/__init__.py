"""ISO 20022 cash management messages (camt.052, 053, 054): `read` for reading, `write` for writing."""
