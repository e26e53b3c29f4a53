"""A proxy between an agent and hearth that keeps every request, so that a test knows what was sent."""
import dataclasses
import email.message
import http.client
import http.server
import threading


@dataclasses.dataclass
class Exchange:
    path: str  # with the query
    headers: email.message.Message
    body: bytes
    status: int
    answer: bytes


class RecordingProxy:
    """Context manager; `url` is where agents send to, `exchanges` what passed, in order of the answers."""

    def __init__(self, target_port):
        self.exchanges = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler(target_port))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, target_port):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self._body()
                connection = http.client.HTTPConnection("127.0.0.1", target_port, timeout=30)
                hop = ("host", "connection", "transfer-encoding", "content-length")
                connection.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k.lower() not in hop})
                response = connection.getresponse()
                answer = response.read()
                proxy.exchanges.append(Exchange(self.path, self.headers, body, response.status, answer))
                self.send_response(response.status)
                self.send_header("Content-Type", response.headers.get("Content-Type", "text/plain"))
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                connection.close()

            def _body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def log_message(self, *_):
                pass

        return Handler
