"""A server on loopback that answers as a test says; conftest.py has it as the fixture `serve`."""
import socket
import threading
import time


def stop_accepting(listener, thread):
    """Ends the thread that accepts before the descriptor is free: one that is just about to call accept() would take a connection from the
    next socket that is given the number."""
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    listener.close()


class Server(threading.Thread):
    """Answers each request by what `answer(host, count)` gives: bytes, seconds to keep silent, what to do with the
    connection, or several of these one after the other.
    Knows how many it held at a time. With `keep` it leaves closing to the client, and holds a connection for as long."""

    def __init__(self, answer, keep=False):
        super().__init__(daemon=True)
        self.answer, self.keep, self.hosts, self.open, self.most = answer, keep, [], 0, 0
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            request = b""
            while b"\r\n\r\n" not in request and (chunk := connection.recv(65536)):
                request += chunk
            host = [line for line in request.decode(errors="replace").split("\r\n") if line.startswith("Host: ")]
            if not host:  # TLS, or nothing
                return
            with self.lock:
                self.hosts.append((time.monotonic(), host[0][6:]))
                self.open += 1
                self.most = max(self.most, self.open)
                count = sum(1 for _, other in self.hosts if other == host[0][6:])
            answer = self.answer(host[0][6:], count)
            done = isinstance(answer, bytes) and not self.keep  # for the client, as soon as it has that
            if done:
                self.leave()
            try:
                for piece in [answer] if isinstance(answer, (bytes, int, float)) else answer:
                    if isinstance(piece, bytes):
                        connection.sendall(piece)
                    elif callable(piece):
                        piece(connection)
                    else:
                        time.sleep(piece)
                if self.keep:
                    connection.recv(1)
            except OSError:
                pass
            if not done:
                self.leave()

    def leave(self):
        with self.lock:
            self.open -= 1

    def stop(self):
        stop_accepting(self.socket, self)
