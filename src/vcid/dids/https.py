"""The guarded HTTPS loader: the one thing in this library that opens a socket on a document's behalf.

It does so only where a caller hands it in (to ``DidWebResolver``, say), and a document can steer it to
nothing but web servers of the public Internet: HTTPS alone, on the ports that the operator allows, to a host
*name* whose every address is public. The name is resolved once and the connection made to an address that was
checked, while TLS verifies the certificate for the name: a second answer of the resolver has no effect. There
are no redirects (a document lives where its name says; a redirect is a second URL, from a stranger), no
proxies of the environment, no cookies, no credentials and no compression.

Built on the standard library's TLS and HTTP parser rather than on a client: what has to hold here (one
deadline over everything, a limit on every byte, the connection to a checked address) lies beneath what a
client offers. URLs can name a child's DID: no message, representation or traceback repeats one.
"""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.dids.addresses import is_host_name, is_private_use, is_public, is_public_name, read_address
from vcid.dids.https_cache import DocumentCache
from vcid.dids.https_wire import Deadline, Limits, Network, Request, SystemNetwork, exchange
from vcid.encoding.contexts import Loaded
from vcid.errors import Unavailable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from vcid.dids.https_cache import Kept
    from vcid.dids.https_wire import Answer

__all__ = ["DocumentCache", "HttpsLoader", "Limits", "Network", "Reach", "SystemNetwork"]

MAX_URL_CHARS: Final = 2048

# A resolver's answer may be long; more addresses than these are neither needed nor tried.
_MAX_ADDRESSES: Final = 64
_MAX_ATTEMPTS: Final = 4

_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URL: Final = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]://(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>[1-9][0-9]{0,4}))?"
    rf"(?P<path>(?:/{_PCHAR}*+)*+)(?P<query>\?(?:{_PCHAR}|[/?])*+)?"
)
_DOT_SEGMENT: Final = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
_REDIRECTS: Final = frozenset({300, 301, 302, 303, 305, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a loader reaches. An operator widens it in code; no document can.

    Attributes:
        ports: the ports that a URL may name; 443 by default.
        private_hosts: names of hosts within the operator's own network, each exactly as URLs name it, in
            lower case. Their addresses may be private or this machine's; never link-local, multicast or a
            cloud's metadata service.

    Raises:
        ValueError: a port or a name can't be one.
    """

    ports: frozenset[int] = frozenset({443})
    private_hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ports", frozenset(self.ports))
        object.__setattr__(self, "private_hosts", frozenset(self.private_hosts))
        if not all(0 < port <= 65535 for port in self.ports):
            raise ValueError("ports lie between 1 and 65535")
        if not all(is_host_name(host) for host in self.private_hosts):
            raise ValueError("a private host is a host's exact name in lower case, not an IP address")

    def read(self, url: str) -> Request:
        """Read a URL that a document names.

        Raises:
            Unavailable: ``url-refused`` or ``host-refused``.
        """
        found = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARS else None
        if found is None:
            expected = (
                f"https, a host and a path, in {MAX_URL_CHARS} characters, with no user and no fragment"
            )
            raise Unavailable(f"a URL is refused: expected {expected}", code="url-refused")
        path = found["path"] or "/"
        if any(_DOT_SEGMENT.fullmatch(segment) for segment in path.split("/")):
            raise Unavailable("a URL is refused: its path has segments . or ..", code="url-refused")
        port = int(found["port"] or 443)
        if port not in self.ports:
            raise Unavailable("a URL is refused: its port is not among Reach.ports", code="url-refused")
        host = found["host"].lower()
        if not is_host_name(host) or not (is_public_name(host) or host in self.private_hosts):
            raise Unavailable(
                "a URL is refused: expected a host's public name, not an IP address nor a name of one "
                "machine or network; an operator may allow it by its exact name in Reach.private_hosts",
                code="host-refused",
            )
        return Request(host, port, path + (found["query"] or ""))

    def check(self, host: str, addresses: Sequence[str]) -> None:
        """Check every address to which a name resolved; one that is refused refuses them all.

        Raises:
            Unavailable: ``address-refused``.
        """
        for text in addresses:
            address = read_address(text)
            if address is not None and is_public(address):
                continue
            if address is not None and host in self.private_hosts and is_private_use(address):
                continue
            raise Unavailable(
                "a URL is refused: its host has an address outside the public Internet; an operator may "
                "allow the host by its exact name in Reach.private_hosts",
                code="address-refused",
            )


class HttpsLoader:
    """Brings documents from web servers: a ``Loader``, safe across threads and forks.

    Args:
        reach: which hosts and ports; by default those of ``Reach()``.
        limits: how long, and how large; by default those of ``Limits()``.
        cache: the memory of documents that were fetched; a bounded one of its own by default.
        authorities: certificates in PEM of the authorities to believe, in place of the system's.
        network: resolver and sockets; the operating system's by default.
        clock: seconds that only go forward.

    Raises:
        ValueError: ``authorities`` holds no certificate.
    """

    def __init__(
        self,
        reach: Reach | None = None,
        *,
        limits: Limits | None = None,
        cache: DocumentCache | None = None,
        authorities: str | None = None,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reach = Reach() if reach is None else reach
        self._limits = Limits() if limits is None else limits
        self._cache = DocumentCache() if cache is None else cache
        self._tls = _tls_context(authorities)
        self._network = SystemNetwork() if network is None else network
        self._clock = clock

    def load(self, url: str) -> Loaded:
        """Bring the document at a URL.

        Raises:
            Unavailable: its ``code`` says why. Refused before anything is sent: ``url-refused``,
                ``host-refused``, ``address-refused``. Not reached: ``name-not-resolved``, ``unreachable``,
                ``tls``, ``timed-out``. Answered by something else than the document: ``not-found``,
                ``redirected``, ``status``, ``encoded``, ``too-large``, ``broken-answer``.
        """
        request = self._reach.read(url)
        kept = self._cache.get(url)
        if kept is not None and self._clock() < kept.fresh_until:
            return kept.loaded
        if kept is not None:
            request = Request(request.host, request.port, request.path, kept.etag)
        asked = self._clock()
        return self._judge(url, kept, self._ask(request), asked)

    def _ask(self, request: Request) -> Answer:
        addresses = self._resolve(request)
        deadline = Deadline(self._limits.total_seconds, self._clock)
        reason: Unavailable
        try:
            with self._connect(addresses, request.port, deadline) as plain:
                plain.settimeout(deadline.allow(self._limits.read_seconds))
                with self._tls.wrap_socket(
                    plain, server_hostname=request.host, suppress_ragged_eofs=False
                ) as connection:
                    return exchange(connection, request, self._limits, deadline)
        except OSError as error:
            reason = _explain(error)
        # Raised here, where the exception that was caught, which can name the host, is no longer its context.
        raise reason

    def _resolve(self, request: Request) -> Sequence[str]:
        try:
            addresses = list(dict.fromkeys(self._network.addresses(request.host, request.port)))
        except (OSError, UnicodeError):
            addresses = []
        if not 0 < len(addresses) <= _MAX_ADDRESSES:
            raise Unavailable("a URL's host has no address that can be had", code="name-not-resolved")
        self._reach.check(request.host, addresses)
        return addresses[:_MAX_ATTEMPTS]

    def _connect(self, addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
        failure = OSError()
        for address in addresses:
            try:
                return self._network.connect(address, port, deadline.allow(self._limits.connect_seconds))
            except OSError as error:
                failure = error
        raise failure

    def _judge(self, url: str, kept: Kept | None, answer: Answer, asked: float) -> Loaded:
        if answer.status == 200:
            loaded = Loaded(answer.body, answer.headers.get("content-type", ""), url)
            self._cache.keep(url, loaded, answer.headers, asked)
            return loaded
        if answer.status == 304 and kept is not None and kept.etag:
            self._cache.keep(url, kept.loaded, {"etag": kept.etag, **answer.headers}, asked)
            return kept.loaded
        if answer.status in {404, 410}:
            raise Unavailable("the server has no document there", code="not-found")
        if answer.status in _REDIRECTS:
            raise Unavailable(
                "the server sends elsewhere, which is not followed: name the document's own URL",
                code="redirected",
            )
        raise Unavailable(f"the server answered with status {answer.status}", code="status")

    def __repr__(self) -> str:
        return "<HttpsLoader>"


def _tls_context(authorities: str | None) -> ssl.SSLContext:
    """TLS 1.2 or later, certificate and name verified; an end that isn't marked is an error."""
    if authorities is not None and "-----BEGIN CERTIFICATE-----" not in authorities:
        # An empty text would be taken for none, and believe the system's.
        raise ValueError("authorities are certificates in PEM")
    try:
        context = ssl.create_default_context(cadata=authorities)
    except ssl.SSLError as error:
        raise ValueError("authorities are certificates in PEM") from error
    # Without this a connection that somebody cut reads like one that was closed.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _explain(error: OSError) -> Unavailable:
    if isinstance(error, TimeoutError):
        return Unavailable("the server did not answer within the loader's limits of time", code="timed-out")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unavailable("the server's certificate is not good for the name that was asked", code="tls")
    if isinstance(error, ssl.SSLEOFError):
        return Unavailable("the server's answer was cut short", code="broken-answer")
    if isinstance(error, ssl.SSLError):
        return Unavailable("no TLS connection could be made to the server", code="tls")
    return Unavailable("the server can't be reached", code="unreachable")
