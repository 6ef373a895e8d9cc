"""Which database a command works on: the embedded one, started for it, or the one of the DSN."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.config import Settings
from gateway.storage.embedded import DataDirInUse, EmbeddedServer, dsn_of


@contextmanager
def database(settings: Settings, *, share: bool = False) -> Iterator[str]:
    """The DSN, while the server runs. With `share` a server that another process of ours started will do."""
    if not settings.database.embedded:
        yield settings.database.dsn.reveal()
        return
    folder = settings.path(settings.database.folder)
    try:
        server = EmbeddedServer.start(folder)
    except DataDirInUse:
        if not share:
            raise
        yield dsn_of(folder)
        return
    with server:
        yield server.dsn
