"""Where a document may not send the loader: a real listener on loopback proves that nothing arrives."""

from __future__ import annotations

import socket
import traceback
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dids.tls_server import Authority
from vcid.dids.addresses import is_host_name, is_private_use, is_public
from vcid.dids.https import HttpsLoader, Limits, Reach
from vcid.errors import Unavailable, VcidError

FORBIDDEN_HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7F.0x0.0x0.0x1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0000127.0.0.1",
    "127.0.0.1.",
    "127.0.0.0x1",
    "0",
    "0.0.0.0",
    "255.255.255.255",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "100.100.100.200",
    "10.0.0.1",
    "10.1",
    "192.168.0.1",
    "172.16.0.1",
    "8.8.8.8",  # public, and an IP address all the same
    "1.1.1.1.",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[ff02::1]",
    "[2606:4700::1111]",
    "[v1.x]",
    "localhost",
    "LOCALHOST",
    "LocalHost.",
    "localhost.",
    "x.localhost",
    "localhost.localdomain",
    "printer.local",
    "metadata.google.internal",
    "metadata",
    "router",
    "nas.lan",
    "router.home.arpa",
    "1.0.0.127.in-addr.arpa",
    "intranet.corp",
    "hidden.onion",
    "１２７.0.0.1",  # full-width digits
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",  # ideographic full stops
    "127.0.0.１",
    "ｌocalhost",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "loca\u00adlhost",
    "bücher.example",
    "%31%32%37.0.0.1",
    "localhost%00.civil.example",
    "localhost\0.civil.example",
    "127.0.0.1\t",
    "127.0.0.1\n",
    " 127.0.0.1",
    "civil.example\\@127.0.0.1",
    "civil.example@127.0.0.1",
    "user:password@civil.example",
    "@civil.example",
    "civil.example#@127.0.0.1",
    "civil.example?@127.0.0.1#",
    "civil.example;127.0.0.1",
    "civil_example.com",
    "-civil.example",
    "civil-.example",
    "civil..example",
    ".civil.example",
    "civil.example.",
    "civil.example.0x7f",
    "civil.example.127",
    "a" * 64 + ".example",
    ".".join(["a" * 60] * 5) + ".example",
    "",
    ":443",
]

FORBIDDEN_ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:7f00:1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "not an address",
    "2130706433",
    "",
]

FORBIDDEN_URLS = [
    "http://civil.example/",
    "ftp://civil.example/",
    "file:///etc/passwd",
    "gopher://civil.example/",
    "data:application/json,{}",
    "//civil.example/",
    "https:civil.example",
    "https:/civil.example",
    "https:///civil.example",
    "https:\\\\civil.example/",
    "ﬀttps://civil.example/",
    "httpſ://civil.example/",
    "https://civil.example:80/",
    "https://civil.example:22/",
    "https://civil.example:0/",
    "https://civil.example:0443/",
    "https://civil.example:65536/",
    "https://civil.example:/",
    "https://civil.example:４４３/",
    "https://civil.example/a#fragment",
    "https://civil.example/a b",
    "https://civil.example/a\r\nHost: other",
    "https://civil.example/a\n",
    "https://civil.example/\\..\\",
    "https://civil.example/../a",
    "https://civil.example/a/..",
    "https://civil.example/a/%2e%2E/b",
    "https://civil.example/a/.%2e/b",
    "https://civil.example/./a",
    "https://civil.example/%",
    "https://civil.example/%zz",
    "https://civil.example/ü",
    "https://civil.example/" + "a" * 2048,
    "",
]


LINK_LOCAL_AND_METADATA = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "100.100.100.200",
    "fd00:ec2::254",
    "64:ff9b::a9fe:a9fe",
    "168.63.129.16",
]
PEM = Authority().pem  # the system's certificates take long to read, and none is met here


def guarded(reach=None, **options):
    return HttpsLoader(reach, authorities=PEM, **options)


class Trap:
    """A resolver that claims an address for every name, and a connection that always reaches the listener."""

    def __init__(self, port, addresses=("8.8.8.8",)):
        self.port = port
        self._addresses = addresses

    def addresses(self, host, port):
        return self._addresses

    def connect(self, address, port, timeout):
        return socket.create_connection(("127.0.0.1", self.port), timeout)


NOWHERE = guarded(network=Trap(9, []))


@pytest.fixture
def listener(own_server):
    """Listens on loopback, and tells at the end that nobody came."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        own_server(listening.getsockname()[1])
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


def refused(loader, url):
    with pytest.raises(Unavailable) as caught:
        loader.load(url)
    shown = "".join(traceback.format_exception(caught.value))
    assert "127.0" not in shown
    assert "civil" not in shown
    return caught.value.code


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_no_spelling_of_a_forbidden_host_is_reached(host, listener):
    """Even where the resolver would call it public, each is refused before anything is resolved."""
    port = listener.getsockname()[1]
    loader = guarded(Reach(ports=frozenset({443, port})), network=Trap(port))
    for url in (f"https://{host}/did.json", f"https://{host}:{port}/did.json"):
        assert refused(loader, url) in {"host-refused", "url-refused"}


@pytest.mark.parametrize("address", FORBIDDEN_ADDRESSES)
def test_no_name_that_resolves_to_a_forbidden_address_is_reached(address, listener):
    """Neither alone, nor among public addresses, before or after them."""
    port = listener.getsockname()[1]
    for addresses in ([address], ["8.8.8.8", address], [address, "2606:4700::1111"]):
        loader = guarded(network=Trap(port, addresses))
        assert refused(loader, "https://civil.example/did.json") == "address-refused"


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
def test_no_other_url_is_reached(url, listener):
    """Schemes, ports, fragments, dot segments, controls and lengths."""
    port = listener.getsockname()[1]
    assert refused(guarded(network=Trap(port)), url) == "url-refused"


def test_the_trap_would_have_sprung(own_server):
    """The same loader and trap do connect for a public name and address: the refusals above are the guard's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        own_server(port)
        loader = guarded(network=Trap(port), limits=Limits(read_seconds=0.2))
        assert refused(loader, "https://civil.example/did.json") == "timed-out"
        listening.setblocking(False)
        listening.accept()[0].close()


@pytest.mark.parametrize(
    "address",
    [*LINK_LOCAL_AND_METADATA, "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:10.0.0.1"],
)
def test_a_private_host_is_still_no_metadata_service(address, listener):
    """What an operator allows by name may be private, but never link-local, multicast or metadata."""
    reach = Reach(private_hosts=frozenset({"registry.intranet"}))
    loader = guarded(reach, network=Trap(listener.getsockname()[1], [address]))
    assert refused(loader, "https://registry.intranet/did.json") == "address-refused"


@pytest.mark.parametrize(
    "host", ["x.registry.intranet", "registry.intranet.", "registry", "xregistry.intranet"]
)
def test_a_private_host_is_allowed_by_its_exact_name(host, listener):
    """Neither a name below it, nor beside it, nor another spelling."""
    reach = Reach(private_hosts=frozenset({"registry.intranet"}))
    loader = guarded(reach, network=Trap(listener.getsockname()[1], ["10.0.0.1"]))
    assert refused(loader, f"https://{host}/did.json") == "host-refused"


def test_a_private_address_is_not_allowed_by_another_hosts_name(listener):
    """The permission is the name's: a public name that resolves into the same network has none."""
    reach = Reach(private_hosts=frozenset({"registry.intranet"}))
    loader = guarded(reach, network=Trap(listener.getsockname()[1], ["10.0.0.1"]))
    assert refused(loader, "https://civil.example/did.json") == "address-refused"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "Registry.intranet", "registry.intranet.", "*.intranet", ""]
)
def test_private_hosts_are_exact_names(host):
    """Addresses, patterns and other spellings are misuse."""
    with pytest.raises(ValueError, match="exact name"):
        Reach(private_hosts=frozenset({host}))


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_ports_are_ports(port):
    """A port that can't be one is misuse."""
    with pytest.raises(ValueError, match="ports"):
        Reach(ports=frozenset({port}))


@pytest.mark.parametrize("failure", [OSError, UnicodeError, socket.gaierror])
def test_a_name_that_does_not_resolve(failure):
    """A resolver's failure, an empty answer and an endless one are one answer: not resolved."""

    class Nowhere(Trap):
        def addresses(self, host, port):
            raise failure

    assert refused(guarded(network=Nowhere(9)), "https://civil.example/") == "name-not-resolved"
    many = [f"8.8.{number // 256}.{number % 256}" for number in range(1000)]
    for addresses in ([], many):
        assert refused(guarded(network=Trap(9, addresses)), "https://civil.example/") == "name-not-resolved"


@given(st.text(max_size=60))
def test_any_text_is_refused_as_our_own_error(text):
    """Whatever stands where a URL should, the answer is Unavailable."""
    with pytest.raises(VcidError):
        NOWHERE.load(text)
    with pytest.raises(VcidError):
        NOWHERE.load(f"https://{text}")


@given(st.ip_addresses())
def test_what_is_public_is_public_to_python_too(address):
    """We refuse more than the standard library's own list, and nothing less."""
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
        assert not is_private_use(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_public_addresses_are_public(address):
    """The guard does let the Internet through."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["civil.example", "xn--bcher-kva.example", "a.b-c.d1.ke", "1.example", "3com.com"]
)
def test_names_are_names(host):
    """Names in their one spelling pass."""
    assert is_host_name(host)
