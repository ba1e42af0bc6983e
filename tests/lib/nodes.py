# SPDX-License-Identifier: Apache-2.0
"""Servers on the loopback that behave as nodes do, or worse. Each is closed by close()."""
import contextlib
import http.server
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time


class Raw:
    """A TCP server of any behaviour: serve(connection) in a thread for each connection."""

    def __init__(self, serve, host="127.0.0.1"):
        self.serve = serve
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.stopped = threading.Event()
        self.connections = []
        self.count = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            self.connections.append(connection)
            threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        with contextlib.suppress(OSError):
            self.serve(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def close(self):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.close()


def request(connection):
    """Reads a request's head."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            break
        data += more
    return data


def answer(head, *pieces, pause=0.0):
    """Serves every connection with these bytes."""
    def serve(connection):
        request(connection)
        connection.sendall(head)
        for piece in pieces:
            time.sleep(pause)
            connection.sendall(piece)
    return serve


def reset(connection):
    """Sends RST, as a firewall or a crashed service does."""
    request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def endless(connection):
    """10 GB without a length."""
    request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    block = bytes(1 << 20)
    for _ in range(10 * 1024):
        connection.sendall(block)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802  (the name is the library's)
        node = self.server.node
        node.asked.append(self.path)
        time.sleep(node.pause)
        name = self.path.lstrip("/")
        to = node.redirects.get(name)
        content = node.files.get(name)
        status = 302 if to else 200 if content is not None else 404
        body = content if status == 200 else b"<html>not here</html>"
        self.send_response(status)
        if to:
            self.send_header("Location", to)
        if node.modified:
            self.send_header("Last-Modified", node.modified)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass


class Node:
    """A TFTP node's HTTP service; certificate: (PEM of the certificate, of the key) makes it HTTPS."""

    def __init__(self, files=None, certificate=None, host="127.0.0.1", pause=0.0, port=0):
        self.files = dict(files or {})
        self.redirects = {}
        self.asked = []
        self.pause = pause
        self.modified = None
        self.server = Server((host, port), Handler)
        self.server.node = self
        self.host, self.port = host, self.server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.load_cert_chain(*map(str, certificate))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.scheme = "https" if certificate else "http"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def name(self):
        return f"{self.host}:{self.port}"

    def url(self, name="CTLFile.tlv"):
        return f"{self.scheme}://{self.name}/{name}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class OldTls:
    """openssl s_server, which speaks one old version and serves the files of a folder."""

    def __init__(self, folder, certificate, key, version="-tls1"):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.child = subprocess.Popen(
            ["openssl", "s_server", "-WWW", "-accept", f"127.0.0.1:{self.port}", "-cert", str(certificate), "-key", str(key),
             version, "-cipher", "DEFAULT:@SECLEVEL=0"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def url(self, name="CTLFile.tlv"):
        return f"https://127.0.0.1:{self.port}/{name}"

    def close(self):
        self.child.kill()
        self.child.wait()


class Tftp:
    """tftpd-hpa over a folder. host: an address of the loopback, one for each node."""
    PROGRAM = "/usr/sbin/in.tftpd"

    def __init__(self, folder, host="127.0.0.1", port=None):
        self.host, self.port = host, port or free_udp_port(host)
        self.child = subprocess.Popen(
            [self.PROGRAM, "--foreground", "--address", f"{host}:{self.port}", "--user", "root", "--secure", str(folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)

    @staticmethod
    def missing():
        """Why it cannot run here; None if it can."""
        import os
        if not pathlib.Path(Tftp.PROGRAM).exists():
            return "no tftpd-hpa"
        return None if os.geteuid() == 0 else "in.tftpd needs root"

    def url(self, name="CTLFile.tlv"):
        return f"tftp://{self.host}:{self.port}/{name}"

    def close(self):
        self.child.terminate()
        self.child.wait()


def free_udp_port(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def wait_for(port, host="127.0.0.1"):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(port)


def has(program):
    return shutil.which(program) is not None
