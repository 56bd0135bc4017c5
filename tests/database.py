"""The story's database, for a process of its own."""

from django.db import connection


def database_address() -> str:
    """DATABASE_URL of the database that this test uses; also where its server has only a socket."""
    told = connection.settings_dict
    server = f"{told['HOST']}:{told['PORT'] or 5432}"
    if told["HOST"].startswith("/"):
        server = f"/{told['HOST']}"  # A folder with the server's socket.
    return f"postgres://{told['USER']}:{told['PASSWORD'] or 'x'}@{server}/{told['NAME']}"
