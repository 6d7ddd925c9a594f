"""DASH manifests: the addresses in them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

_NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
_TEXTS = frozenset({"BaseURL", "Location", "PatchLocation"})
_ATTRIBUTES = (
    "media",
    "initialization",
    "index",
    "sourceURL",
    "{http://www.w3.org/1999/xlink}href",
)


class UnreadableManifest(Exception):
    """What came is no manifest."""


def with_addresses(manifest: bytes, url: str, local: Callable[[str], str]) -> bytes:
    """Return the manifest that lay at `url` with addresses that lead to `local(address)`.

    Raises `UnreadableManifest`: what another parser would make of it, nobody knows. XML
    from strangers: the standard library's parser (expat 2.4.1 and newer) bounds the expansion of
    entities by itself.
    """
    try:
        root = ET.fromstring(manifest)  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableManifest(f"the manifest cannot be read: {error}") from error
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if name in _TEXTS and element.text:
            element.text = _replaced(element.text.strip(), url, local)
        for attribute in _ATTRIBUTES:
            if value := element.get(attribute):
                element.set(attribute, _replaced(value, url, local))
    _root_at(root, url, local)
    ET.register_namespace("", _NAMESPACE)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _replaced(reference: str, url: str, local: Callable[[str], str]) -> str:
    if reference.startswith("/") or "://" in reference:
        return local(urljoin(url, reference))
    return reference


def _root_at(root: ET.Element, url: str, local: Callable[[str], str]) -> None:
    """Let what is relative count from where the manifest lay, not from where we serve it."""
    name = root.tag.rpartition("}")[0] + "}BaseURL" if "}" in root.tag else "BaseURL"
    bases = root.findall(name)
    if not bases:
        bases = [ET.Element(name)]
        root.insert(0, bases[0])
    for base in bases:
        if "://" not in (base.text or ""):
            base.text = local(urljoin(url, base.text or "."))
