"""The HTTP servers of this harness: on loopback, on a free port, and silent about clients that are gone."""

import http.server
import sys
import threading


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler], name: str):
        super().__init__(("127.0.0.1", 0), handler)
        self._name = name

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name=self._name).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        # Functions are killed in the middle of a call, some of them on purpose.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
