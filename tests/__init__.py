"""Tests mirror the code; `make.py` builds the world through the real services."""
