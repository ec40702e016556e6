"""A throwaway certificate authority, and a TLS server on loopback that says what a test tells it to."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

HOST = "civil.example"


_NO_OTHER_USE = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


class Authority:
    """Certifies names, for an hour."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an invented authority")])
        builder = self._builder(self._name, self._key)
        for extension in (
            x509.BasicConstraints(ca=True, path_length=None),
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **_NO_OTHER_USE),
            x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()),
        ):
            builder = builder.add_extension(
                extension, critical=not isinstance(extension, x509.SubjectKeyIdentifier)
            )
        certificate = self._sign(builder)
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, host: str, folder: Path, *, days: int = 1) -> ssl.SSLContext:
        """A server's side of TLS, for that name; with days below zero, one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = self._builder(subject, key, days).add_extension(names, critical=False)
        certificate = self._sign(builder.add_extension(issuer, critical=False))
        file = folder / f"{host}{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, subject, key, days=1):
        end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - dt.timedelta(days=7))
            .not_valid_after(end)
        )

    def _sign(self, builder):
        return builder.sign(self._key, hashes.SHA256())


@dataclass
class Server:
    """Answers each connection by the next of its scripts, the last one again and again.

    A script is handed the TLS connection, after the request was read. ``requests`` holds what arrived.
    """

    context: ssl.SSLContext
    scripts: Sequence[Callable[[ssl.SSLSocket], None]]
    requests: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        for number in range(1000):
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(5)
            script = self.scripts[min(number, len(self.scripts) - 1)]
            with (
                contextlib.suppress(OSError),
                plain,
                self.context.wrap_socket(plain, server_side=True) as tls,
            ):
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += tls.recv(4096)
                self.requests.append(request)
                script(tls)


def says(*parts: bytes, close: bool = True) -> Callable[[ssl.SSLSocket], None]:
    """A script that sends bytes and then ends TLS as it should be ended, or cuts the connection."""

    def script(tls: ssl.SSLSocket) -> None:
        for part in parts:
            tls.sendall(part)
        if close:
            tls.unwrap()

    return script


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """A whole answer with its length."""
    lines = [f"HTTP/{version} {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
