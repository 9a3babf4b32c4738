"""News from the banks for the floors above. Receivers enqueue a job and nothing else.

`statement_imported(statement_id)`: a statement's entries are in the database.
`status_received(references)`: the bank said something about payments of these references
outside the answer to a send or a query (a returns list, a pushed file).
"""

from django.dispatch import Signal

statement_imported = Signal()
status_received = Signal()
