"""HTTP on loopback: a server of the tests in a thread of its own, and a client of such servers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2


@contextmanager
def serve_on_loopback(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serves until the block is left; gives the base URL of a model server, which ends in `/v1`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def loopback_client() -> httpx2.Client:
    """Makes a client for many requests; one for each would load the certificates each time.

    It keeps no connection, which the server could be closing when the next request is sent.
    """
    return httpx2.Client(trust_env=False, verify=False, limits=httpx2.Limits(max_keepalive_connections=0))
