"""Addresses of the banks floor."""

from django.urls import URLPattern, URLResolver, path

from banks.views import connections, exchanges, files, statements

app_name = "banks"
urlpatterns: list[URLPattern | URLResolver] = [
    path("statements/", statements.StatementsPage.as_view(), name="statements"),
    path("statements/<int:pk>/", statements.StatementPage.as_view(), name="statement"),
    path("lines/", statements.EntriesPage.as_view(), name="entries"),
    path("files/", files.FilesPage.as_view(), name="files"),
    path("files/upload/", files.upload, name="upload"),
    path("files/uploaded/", files.uploaded, name="uploaded"),
    path("files/<int:pk>/", files.FilePage.as_view(), name="file"),
    path("files/<int:pk>/retry/", files.retry, name="retry"),
    path("files/<int:pk>/content/", files.download, name="download"),
    path("files/<int:pk>/lines/<int:line>/resolve/", files.resolve, name="resolve"),
    path("connections/", connections.ConnectionsPage.as_view(), name="connections"),
    path("connections/new/", connections.new_connection, name="connection_new"),
    path("connections/<int:pk>/", connections.ConnectionPage.as_view(), name="connection"),
    path("connections/<int:pk>/change/", connections.change_connection, name="connection_change"),
    *(
        path(f"connections/<int:pk>/{act}/", connections.act, {"act": act}, name=f"connection_{act}")
        for act in connections.ACTS
    ),
    path("log/", exchanges.ExchangesPage.as_view(), name="exchanges"),
    path("log/<int:pk>/", exchanges.ExchangePage.as_view(), name="exchange"),
]
