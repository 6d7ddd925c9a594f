"""Ways to write an address that nobody from outside may reach."""

from __future__ import annotations

HOSTS = {
    "loopback": "127.0.0.1",
    "name of this machine": "localhost",
    "mapped": "[::ffff:127.0.0.1]",
    "mapped, hexadecimal": "[::ffff:7f00:1]",
    "compatible": "[::127.0.0.1]",
    "decimal": "2130706433",
    "octal": "0177.0.0.1",
    "hexadecimal": "0x7f000001",
    "short": "127.1",
    "full width": "\uff11\uff12\uff17.0.0.1",
    "any": "0.0.0.0",
    "any, IPv6": "[::]",
    "loopback, IPv6": "[::1]",
    "metadata": "169.254.169.254",
    "unique local": "[fd00:ec2::254]",
    "link-local": "[fe80::1]",
    "NAT64": "[64:ff9b::7f00:1]",
    "6to4": "[2002:7f00:1::]",
    "name that leads inside": "private.test",
    "name that leads inside and outside": "both.test",
    "user that looks like a host": "outside.test@127.0.0.1",
    "backslash": "outside.test\\@127.0.0.1",
}

SCHEMES = {
    "file": "file:///etc/hostname",
    "file, without slashes": "file:/etc/hostname",
    "file, of a host": "file://localhost/etc/hostname",
    "tcp": "tcp://127.0.0.1:{port}",
    "concat": "concat:/etc/hostname|/etc/passwd",
    "data": "data:video/mp2t;base64,R1NFQ1JFVCBPRiBUSElTIE1BQ0hJTkU=",
    "subfile": "subfile,,start,0,end,0,,:/etc/hostname",
    "ftp": "ftp://127.0.0.1:{port}/x",
    "gopher": "gopher://127.0.0.1:{port}/x",
    "unix": "unix:///run/docker.sock",
    "crypto": "crypto+http://127.0.0.1:{port}/x",
    "pipe": "pipe:0",
    "http without slashes": "http:127.0.0.1:{port}/x",
    "http with one slash": "http:/127.0.0.1:{port}/x",
    "scheme of the page": "//127.0.0.1:{port}/x",
    "upper case": "HTTP://127.0.0.1:{port}/x",
}


def spellings(port: int) -> dict[str, str]:
    """Return URLs that lead to a port of this machine, or to what only it can reach."""
    hosts = {name: f"http://{host}:{port}/x.ts?token=geheim" for name, host in HOSTS.items()}
    return hosts | {name: url.format(port=port) for name, url in SCHEMES.items()}


ALL = tuple(spellings(0))
SOME = ("loopback", "mapped", "decimal", "any", "name that leads inside", "file", "data", "ftp")
