"""Reads the XML of strangers: no document types, no entities, bounded in size and depth.

A document type is what entity bombs and external entities need; SOAP 1.2 (part 1, section 5)
forbids it, so a message that carries one is refused whole.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder  # only the builder
from xml.parsers import expat  # its handlers refuse what is dangerous

MOST_BYTES = 1_000_000
DEEPEST = 64


class XmlRefused(ValueError):
    """Not XML that a well-meaning device sends."""


def parse(content: bytes) -> Element:
    """The root element; names are ``{namespace}name``. Raises XmlRefused."""
    if len(content) > MOST_BYTES:
        raise XmlRefused(f"{len(content)} bytes are too many for an answer")
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise XmlRefused("nested too deeply")
        builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(name))

    def refuse(*_: object) -> None:
        raise XmlRefused("carries a document type")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise XmlRefused(f"not XML: {error}") from None
    return builder.close()


def text_at(element: Element, path: str) -> str:
    """The text at a path of local names (``Body/Fault``), whatever the namespaces; "" if absent."""
    found = next(every(element, path), None)
    return ((found.text or "") if found is not None else "").strip()


def every(element: Element, path: str) -> Iterator[Element]:
    """All elements at a path of local names below `element`."""
    first, _, rest = path.partition("/")
    for child in element:
        if child.tag.rpartition("}")[2] == first:
            if rest:
                yield from every(child, rest)
            else:
                yield child


def _named(name: str) -> str:
    return "{" + name if "}" in name else name
