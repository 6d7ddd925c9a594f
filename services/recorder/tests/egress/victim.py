"""What nobody from outside may reach: a server of this machine that notes whoever connects."""

from __future__ import annotations

import contextlib
import socket
import threading

SECRET = b"\x47SECRET OF THIS MACHINE"


class Victim:
    """Listens at 127.0.0.1 and would answer anybody with `SECRET`."""

    def __init__(self) -> None:
        self.visitors: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it may be closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(2)
                    self.visitors.append("somebody")
                    self.visitors.append(connection.recv(4096).decode(errors="replace"))
                    connection.sendall(
                        b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + SECRET
                    )
