# SPDX-License-Identifier: Apache-2.0
"""Hosts on loopback with TFTP, HTTP and TLS servers, which phones find by their well-known ports.

Each host has an address of its own in 127/8. A service has the same real port on all hosts of a
cluster, so that a client that knows one port for each service can ask them all.
"""
import itertools
import os
import selectors
import socket
import ssl
import struct
import threading
import warnings

TFTP, HTTP, TVS = 69, 6970, 2445
PATIENCE = 30  # seconds that a server waits for a client; nothing on loopback takes as long
BLOCK = 512
_networks = itertools.count()


class Loop:
    """One thread that waits for all listening sockets; each client has a thread of its own."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.wake, waiting = socket.socketpair()
        self.selector.register(waiting, selectors.EVENT_READ, None)
        self.waiting, self.running = waiting, True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            for key, _ in self.selector.select():
                if key.data:
                    key.data(key.fileobj)

    def add(self, sock, ready):
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, ready)

    def drop(self, sock):
        self.selector.unregister(sock)
        sock.close()

    def close(self):
        self.running = False
        self.wake.send(b"x")
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.wake.close()
        self.selector.close()


def server_context(identity, versions=None, client_ca=None):
    """TLS as old nodes speak it: any version, 1024-bit keys. versions: (least, greatest)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _old(context, versions)
    context.load_cert_chain(identity.cert, identity.key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def client_context(identity=None):
    """Judges nothing: who the server is, its caller asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _old(context, None)
    if identity:
        context.load_cert_chain(identity.cert, identity.key)
    return context


def _old(context, versions):
    least, greatest = versions or (ssl.TLSVersion.TLSv1, ssl.TLSVersion.MAXIMUM_SUPPORTED)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = least, greatest


class Service:
    """A port of a host: who connects is handled in a thread."""
    kind = socket.SOCK_STREAM

    def __init__(self, sock):
        self.address = sock.getsockname()
        self.sock, self.loop = sock, None

    def open(self, loop):
        self.loop = loop
        self.sock.listen(16)
        loop.add(self.sock, self._ready)

    def shut(self):
        """From now on nobody listens: connections are refused. The port stays this host's."""
        self.loop.drop(self.sock)
        self.sock = socket.socket(socket.AF_INET, self.kind)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(self.address)

    def close(self):
        self.sock.close()

    def _ready(self, sock):
        try:
            client, _ = sock.accept()
        except OSError:
            return  # it has gone away already
        client.settimeout(PATIENCE)
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client:
                self.handle(client)
        except (OSError, EOFError):
            pass  # the client left, or speaks no TLS

    def handle(self, client):
        raise NotImplementedError


class TlsService(Service):
    """Presents a certificate. `identity` may be changed while it runs."""

    def __init__(self, sock, identity, versions=None, client_ca=None):
        super().__init__(sock)
        self.identity, self.versions, self.client_ca = identity, versions, client_ca

    def handle(self, client):
        context = server_context(self.identity, self.versions, self.client_ca)
        with context.wrap_socket(client, server_side=True) as secure:
            self.speak(secure)

    def speak(self, secure):
        secure.recv(1)  # until the client leaves


def http_speak(client, file_of):
    """One GET; file_of(name) is the content or None."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < 8192:
        more = client.recv(4096)
        if not more:
            return
        head += more
    verb, target = head.split(b" ", 2)[:2]
    content = file_of(target.decode("ascii").lstrip("/")) if verb == b"GET" else None
    status = "200 OK" if content is not None else "404 Not Found"
    content = content or b""
    client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n"
                   "Connection: close\r\n\r\n".encode("ascii") + content)


class HttpService(Service):
    def __init__(self, sock, file_of):
        super().__init__(sock)
        self.file_of = file_of

    def handle(self, client):
        http_speak(client, self.file_of)


class HttpsService(TlsService):
    def __init__(self, sock, identity, file_of):
        super().__init__(sock, identity)
        self.file_of = file_of

    def speak(self, secure):
        http_speak(secure, self.file_of)


class TftpService(Service):
    """Read requests in octet mode [RFC 1350]; options are passed over, as the RFCs allow."""
    kind = socket.SOCK_DGRAM

    def __init__(self, sock, file_of):
        super().__init__(sock)
        self.file_of = file_of

    def open(self, loop):
        self.loop = loop
        loop.add(self.sock, self._ready)

    def _ready(self, sock):
        request, client = sock.recvfrom(2048)
        threading.Thread(target=self._answer, args=(request, client), daemon=True).start()

    def _answer(self, request, client):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.address[0], 0))
            sock.connect(client)
            sock.settimeout(PATIENCE)
            words = request[2:].split(b"\0")
            content = None
            if request[:2] == b"\0\1" and len(words) > 2 and words[1].lower() == b"octet":
                content = self.file_of(words[0].decode("ascii"))
            if content is None:
                sock.send(struct.pack("!HH", 5, 1) + b"File not found\0")
                return
            self._send(sock, content)

    @staticmethod
    def _send(sock, content):
        for number in range(1, len(content) // BLOCK + 2):
            block = content[(number - 1) * BLOCK:number * BLOCK]
            sock.send(struct.pack("!HH", 3, number & 0xFFFF) + block)
            try:
                reply = sock.recv(516)
            except OSError:
                return  # the client has gone: nothing is lost on loopback
            if reply != struct.pack("!HH", 4, number & 0xFFFF):
                return


class Network:
    """All hosts, and the real ports behind their well-known ones."""

    def __init__(self):
        self.loop = Loop()
        # Tests run side by side: another process, another part of 127/8.
        part = os.getpid() * 7 + next(_networks)
        self.prefix = f"127.{1 + part // 250 % 250}.{1 + part % 250}"
        self.count = 0
        self.services = {}  # (address, well-known port, kind): Service

    def host(self):
        """The address of a new host."""
        self.count += 1
        return f"{self.prefix}.{self.count}"

    def serve(self, port, addresses, make, kind=socket.SOCK_STREAM):
        """Opens a service on each address, all with one real port; make(address, sock)."""
        for sock, address in zip(_bound(addresses, kind), addresses):
            service = make(address, sock)
            self.services[address, port, kind] = service
            service.open(self.loop)

    def real(self, address, port, kind=socket.SOCK_STREAM):
        """The address and port to connect to."""
        return self.services[address, port, kind].address

    def close(self):
        self.loop.close()
        for service in self.services.values():
            service.close()


def _bound(addresses, kind):
    """A socket for each address, with the same port, which the kernel chose for the first."""
    for _ in range(100):
        socks, port = [], 0
        try:
            for address in addresses:
                sock = socket.socket(socket.AF_INET, kind)
                socks.append(sock)
                if kind == socket.SOCK_STREAM:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, port))
                port = sock.getsockname()[1]
            return socks
        except OSError:
            for sock in socks:
                sock.close()
    raise OSError(f"no port is free on all of {addresses}")


def tftp_get(address, name):
    """A file, or None if the server has none of that name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.sendto(b"\0\1" + name.encode("ascii") + b"\0octet\0", address)
        content, number = b"", 1
        while True:
            packet, peer = sock.recvfrom(BLOCK + 4)
            if packet[:2] == b"\0\5":
                return None
            assert packet[:4] == struct.pack("!HH", 3, number & 0xFFFF), packet[:4].hex()
            sock.sendto(struct.pack("!HH", 4, number & 0xFFFF), peer)
            content, number = content + packet[4:], number + 1
            if len(packet) < BLOCK + 4:
                return content


def http_get(address, name):
    """A file, or None if the server has none of that name."""
    with socket.create_connection(address, PATIENCE) as sock:
        sock.sendall(f"GET /{name} HTTP/1.1\r\nHost: {address[0]}\r\n\r\n".encode("ascii"))
        data = b""
        while more := sock.recv(65536):
            data += more
    head, content = data.split(b"\r\n\r\n", 1)
    return content if head.split(b" ")[1] == b"200" else None
