"""A listener for tests of what asks servers."""
import contextlib
import socket
import threading


@contextlib.contextmanager
def server(serve):
    """A listener whose connections `serve` handles, each on a thread; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    def one(connection):
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
