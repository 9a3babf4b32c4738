"""The demonstration: an invented group of companies, its history, and one day played to the end.

Everything is done by the portal's own services with the clock passed in, against simulated banks
that run as processes of their own. Nothing else in the portal knows of this package.
"""
