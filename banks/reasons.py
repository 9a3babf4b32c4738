"""The sentences that formats, connectors and rules say of what a bank sent, for readers in other languages.

Those modules know no Django and no language: what they say is stored in English. `treasury.wording`
finds the sentence again by these patterns and shows it in the reader's language. A test compares
this list with the source.
"""

from __future__ import annotations

from banks.marking import gettext_noop as _

SENTENCES = (
    _("balance of account %(number)s"),
    _("balance of account %(number)s in %(currency)s"),
    _("%(ahead)s s ahead of"),
    _("The bank's clock is %(way)s ours, more than %(clock_margin_seconds)s s."),
    _("Set the clock of this machine by a time server, or ask the bank."),
    _("The bank's answer to %(what)s cannot be read (HTTP %(status)s)."),
    _("Nothing was processed; correct what the bank names and try again."),
    _("The bank refused %(what)s: %(code)s %(text)s"),
    _("The outcome is unknown; ask the bank with the same reference."),
    _("Compare the signing key of the connection with the one the bank printed."),
    _("Compare the clocks of this machine and of the bank."),
    _("The message came too late and was not processed; it may be sent anew."),
    _("Nothing was processed; try again later."),
    _("Check the account number; the bank lists the accounts it keeps."),
    _("No connection to the bank at %(base_url)s: %(error)s"),
    _("The bank gave no complete answer to %(method)s %(path)s: %(reason)s"),
    _("Check that the bank is running and that the address is right."),
    _("A message carries 1 to %(batch_limit)s payments, not %(count)s."),
    _("A message carries each reference once."),
    _(
        "The message was to be sent %(age)s s ago; the bank takes it for "
        "%(no_record_window_seconds)s s only, so it was not sent."
    ),
    _("Start a new sending."),
    _("The bank's answer says nothing of this reference"),
    _("The bank did not say by which clock and window it answered"),
    _("The bank takes messages for %(window)s s, longer than this connection is set to"),
    _("The bank's clock may be %(behind)s s behind ours"),
    _("The bank's answer carries no readable %(what)s."),
    _("Nothing was taken from it; try again, and look at the raw answer if it persists."),
    _("list of %(name)s"),
    _("The bank's answer carries no readable list of reports."),
    _("The bank said both %(state)s and %(state2)s"),
    _("statements of account %(number)s"),
    _("content of file %(name)s"),
    _("Format “%(name)s” is not known. Choose one of %(value)s."),
    _("An archive inside an archive is not opened. Unpack it first."),
    _("credit or debit is not stated (CdtDbtInd is “%(word)s”)"),
    _("amount “%(value)s” is not a plain decimal number of at most 18.5 digits"),
    _("%(what)s “%(value)s” is not a date like 2026-01-31"),
    _("%(what)s “%(value)s” does not exist"),
    _("entry status “%(word)s” is not known: the entry is not counted as booked"),
    _("entry %(position)s: its %(count)s transactions do not add up to %(amount)s; kept as one entry"),
    _(
        "The XML declares a document type (DOCTYPE), which no bank statement needs and which can "
        "carry attacks: the file is refused. Ask the bank for one without it."
    ),
    _("The camt message holds no statement (no Stmt, Rpt or Ntfctn in it). Ask the bank for the file again."),
    _("this is page %(number)s of a longer statement, %(rest)s"),
    _("the bank counts %(number)s entries, the file holds %(ntries)s"),
    _("%(count)s balance(s) are not in %(currency)s and were left aside"),
    _("%(count)s balance(s) could not be read"),
    _("This XML is a “%(root_name)s”, not a camt.052, 053 or 054 bank statement."),
    _("The XML is nested deeper than any statement: it is refused."),
    _("entry %(position)s at line %(entry_line)s: %(error)s"),
    _("the bank marks this statement as %(value)s"),
    _("statement numbers jump from %(before)s to %(number)s: one or more are missing"),
    _("The XML is declared as “%(encoding)s”, which is not known here."),
    _(
        "The XML breaks off or is not well-formed at line %(lineno)s, column %(offset)s "
        "(%(value)s). Ask the bank for the file again."
    ),
    _("Ask the bank for the statement as camt.053 or MT940."),
    _("Export the statement as camt.053 or MT940."),
    _("Unpack it first."),
    _("Decrypt it first."),
    _(
        "This is not a statement format known here (it begins with “%(start)s”). camt.052, "
        "camt.053, camt.054, MT940 and MT942 are read."
    ),
    _(
        "This XML is a “%(what)s”, not a camt.052, camt.053 or camt.054 statement. Check that it "
        "is the statement and not, for example, a payment file or a status report."
    ),
    _("The file is empty. Download it again."),
    _("The zip archive is empty. Download it again."),
    _(
        "This is a web page (HTML), probably the bank's log-in or error page, not a statement. "
        "Sign in to the bank and download the file again."
    ),
    _("This is an OFX file, which is not read here. Ask for camt.053 or MT940."),
    _("This looks like %(what)s, which is not read here. Ask for camt.053 or MT940."),
    _("This is %(what)s, not a bank statement file. %(advice)s"),
    _(
        "This is %(what)s (.xlsx or .docx), not a bank statement file. Ask the bank for the "
        "statement as camt.053 or MT940."
    ),
    _("amount “%(value)s” is not a number"),
    _("date “%(value)s” does not exist"),
    _("a statement line of %(count)s characters"),
    _("amount “%(value)s” may mean thousands or decimals"),
    _("the bank reports %(value)s entries of %(said)s (:90%(mark)s:), the file holds %(count)s of %(total)s"),
    _("the total in field 90%(mark)s could not be read"),
    _(
        "No statement was found: there is no account (:25:), balance (:60F:) or line (:61:) field. "
        "Check that the file is MT940 or MT942."
    ),
    _(
        "From line %(line)s on no new field begins for %(count)s characters. This is not MT940, or "
        "the file is damaged: ask the bank for it again."
    ),
    _("the closing balance is in %(currency)s, the opening in %(currency2)s"),
    _("line %(line)s: a date that does not exist was read as %(on)s"),
    _("line %(pending_at)s: a date that does not exist was read as the month's last day"),
    _("line %(pending_at)s: an amount with a minus sign"),
    _("more than %(held_at_most)s reversals: their signs are as the file states them"),
    _("entries in %(value)s stand in a statement in %(currency)s"),
    _("%(quarantined)s line(s) could not be read: the statement is not complete"),
    _("opening %(amount)s and booked %(booked)s give %(total)s, but closing is %(amount2)s"),
    _("The zip archive holds no statement (%(why)s)"),
    _("The archive has %(count)s files; %(members_at_most)s are allowed."),
    _("The archive would unpack to %(total)s bytes, far more than statements do: it is refused."),
    _("The zip archive is locked with a password. Unpack it first."),
    _("A file in the archive is larger than the archive says: it is refused."),
    _("The zip archive is damaged (%(error)s). Download it again."),
    _("The amount %(amount)s is no amount of money that an account can hold."),
    _("The amount %(amount)s is finer than five decimals, which no currency is."),
    _("The line is booked but says neither a booking nor a value date."),
    _("The line stands outside any statement."),
    _("opening %(value)s does not continue closing %(value2)s of %(closing_on)s"),
    _("The line is in %(currency)s, its statement in %(currency2)s."),
)
WORDS = (
    _("a PDF document"),
    _("an old Excel or Word file"),
    _("a gzip archive"),
    _("a 7-Zip archive"),
    _("a RAR archive"),
    _("a picture"),
    _("a PGP-encrypted file"),
    _("an OFX file"),
    _("a BAI2 file"),
    _("a CFONB file"),
    _("a NACHA file"),
    _("a QIF file"),
    _("a JSON document"),
    _("a table of separated values (CSV)"),
)
"""What a file looks like when it is no statement."""
