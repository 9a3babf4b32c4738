"""Addresses of reconciliation."""

from django.urls import URLPattern, URLResolver, path

from reconciliation.views import journals, matches, overview, sheets, workbench

app_name = "reconciliation"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("accounts/<int:pk>/", workbench.workbench, name="account"),
    path("accounts/<int:pk>/match/", workbench.match, name="match_lines"),
    path("accounts/<int:pk>/match-now/", workbench.match_now, name="match_now"),
    path("accounts/<int:pk>/opening/", overview.opening, name="opening"),
    path("accounts/<int:pk>/sheet/", sheets.sheet, name="sheet"),
    path("accounts/<int:pk>/sheet.pdf", sheets.sheet_pdf, name="sheet_pdf"),
    path("accounts/<int:pk>/close/", sheets.close_day, name="close_day"),
    path("matches/", matches.MatchesPage.as_view(), name="matches"),
    path("matches/undo/", matches.undo_many, name="undo_matches"),
    path("matches/<int:pk>/", matches.MatchPage.as_view(), name="match"),
    path("matches/<int:pk>/undo/", workbench.undo, name="undo_match"),
    path("journals/", journals.JournalsPage.as_view(), name="journals"),
    path("journals/import/", journals.upload, name="import_journal"),
    path("journals/template.csv", journals.template, name="journal_template"),
    path("journals/<int:pk>/", journals.journal, name="journal"),
    path("journals/<int:pk>/columns/", journals.columns, name="journal_columns"),
    path("journals/<int:pk>/book/", journals.book, name="book_journal"),
    path("journals/<int:pk>/undo/", journals.undo, name="undo_journal"),
    path("closes/", overview.ClosesPage.as_view(), name="closes"),
]
