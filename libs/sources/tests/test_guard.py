"""The guard judges the addresses that a host resolves to."""

import socket

import pytest
from chronicle_sources import SourceError
from chronicle_sources.guard import check, is_public, resolve_host


def leads_to(*addresses):
    """A lookup that answers any host with these addresses."""

    def lookup(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return lookup


def nowhere(host, port, **_):
    raise socket.gaierror(socket.EAI_NONAME, "unknown")


def code_of(url, *, allow_private=False, lookup=socket.getaddrinfo):
    with pytest.raises(SourceError) as caught:
        check(url, allow_private=allow_private, lookup=lookup)
    return caught.value.code


class TestCheck:
    def test_lets_a_public_address_pass(self):
        check("https://live.example/page", allow_private=False, lookup=leads_to("93.184.215.14"))

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "gopher://h", "live.m3u8"])
    def test_refuses_other_schemes(self, url):
        assert code_of(url) == "forbidden_scheme"

    @pytest.mark.parametrize("url", ["http://a:b@h/", "http://a@h/", "http://", "http://[::1/"])
    def test_refuses_what_is_no_plain_url(self, url):
        assert code_of(url, lookup=leads_to("93.184.215.14")) == "bad_url"

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1/",
            "http://2130706433/",  # decimal
            "http://0177.0.0.1/",  # octal
            "http://0x7f.1/",  # hexadecimal, short
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://10.1.2.3:8080/x.m3u8",
        ],
    )
    def test_refuses_every_spelling_of_a_private_address(self, url):
        assert code_of(url) == "forbidden_address"

    def test_refuses_a_host_of_which_one_address_is_private(self):
        lookup = leads_to("93.184.215.14", "10.0.0.7")
        assert code_of("https://rebind.example/", lookup=lookup) == "forbidden_address"

    def test_lets_private_addresses_pass_where_that_is_set(self):
        check("http://127.0.0.1:8080/x.m3u8", allow_private=True)

    def test_says_that_a_host_does_not_exist(self):
        assert code_of("https://nosuch.invalid/", lookup=nowhere) == "unreachable"

    def test_shows_no_secret_in_its_sentences(self):
        with pytest.raises(SourceError) as caught:
            check("http://anna:geheim@127.0.0.1/?token=abc", allow_private=False)
        assert "geheim" not in str(caught.value)
        assert "abc" not in str(caught.value)


class TestIsPublic:
    @pytest.mark.parametrize(
        "address",
        [
            "64:ff9b::7f00:1",  # NAT64
            "2002:7f00:0001::",  # 6to4
            "::ffff:10.0.0.1",
            "fe80::1%eth0",
            "224.0.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "169.254.169.254",
            "fd00:ec2::254",  # a cloud's metadata, too
            "::127.0.0.1",  # IPv4-compatible
            "::ffff:0:7f00:1",  # IPv4-translated
            "64:ff9b:1::7f00:1",  # NAT64 of a network's own
            "fec0::1",
            "2001:0:7f00:1::",  # Teredo
            "192.88.99.1",
        ],
    )
    def test_sees_through_wrapped_and_special_addresses(self, address):
        assert not is_public(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
    def test_knows_public_ones(self, address):
        assert is_public(address)


class TestResolveHost:
    def test_returns_the_addresses_that_were_judged(self):
        found = resolve_host("h", 80, allow_private=False, lookup=leads_to("8.8.8.8", "1.1.1.1"))
        assert found == ["8.8.8.8", "1.1.1.1"]
