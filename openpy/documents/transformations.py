"""What one watcher is shown of a presence document (RFC 5025 section 3.3).

Rules:
1. Nothing that is hidden appears in the result: no element, text, attribute or namespace declaration of it.
2. Services, persons and devices are hidden or shown as a whole first; then their attributes. What makes a
   service a service (basic status, contact, timestamp) has no permission of its own and is shown with it.
3. SHOWN, as OpenSER 1.3 did: an element is hidden where its name is refused, at any depth, in any namespace.
   HIDDEN, as RFC 5025 wants: it is shown where it is given, by its namespace too; what has a permission
   of its own is subject to it within other attributes as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from hashlib import blake2b

from lxml import etree

from openpy.documents import pidf
from openpy.documents.markup import attribute
from openpy.documents.permissions import ATTRIBUTES, Permissions, Selection, UserInput
from openpy.documents.xml import CEILING, parse_document
from openpy.sip.errors import RemoteError
from openpy.sip.uri import parse_uri

_EXTENSIONS = pidf.NAMESPACE + ":"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_SKELETON = frozenset({"basic", "contact", "timestamp"})

_OF_PRESENCE = frozenset({"entity", _LANGUAGE})
_OF_COMPONENT = frozenset({"id", _LANGUAGE})
_OF_SKELETON = frozenset({"priority", _LANGUAGE})
_KEPT_OF_INPUT = {
    UserInput.BARE: frozenset({"id"}),
    UserInput.THRESHOLDS: frozenset({"id", "idle-threshold"}),
}


class Unmentioned(StrEnum):
    """What becomes of what no rule mentions; the values are those of the parameter `rules_default`."""

    SHOWN = "1.3"
    HIDDEN = "rfc5025"


def apply(body: bytes, permissions: Permissions, unmentioned: Unmentioned) -> bytes:
    """The presence document `body` as somebody with these permissions sees it; raises DocumentError."""
    if unmentioned is Unmentioned.SHOWN and permissions.forbids_nothing:
        return body
    root = parse_document(body, CEILING)
    shown = unmentioned is Unmentioned.SHOWN
    view: _View = _Open(permissions) if shown else _Closed(permissions)
    view.prune(root)
    etree.cleanup_namespaces(root)
    text = etree.tostring(root, encoding="utf-8", with_tail=False, xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\r\n%b\r\n' % text


def polite_block(presentity_uri: str, secret: bytes = b"") -> bytes:
    """A document that says that the presentity is offline, whether true or not (RFC 5025 section 3.2.1).

    It is written as an offline document is, and always the same for a presentity. `secret` (at most
    64 bytes, the server's own) keeps others from computing the tuple's id and so telling the two apart.
    """
    name = blake2b(presentity_uri.encode("utf-8", "replace"), digest_size=4, key=secret).hexdigest()
    body = (
        f'<presence xmlns="{pidf.NAMESPACE}"><tuple{attribute("id", "t" + name)}><status/></tuple></presence>'
    )
    return pidf.closed(presentity_uri, [pidf.parse(body.encode())])


class _View(ABC):
    """One way to look at a document."""

    __slots__ = ("level", "permissions", "selections")

    def __init__(self, permissions: Permissions, undefined: UserInput) -> None:
        self.permissions = permissions
        self.level = undefined if permissions.user_input is None else permissions.user_input
        self.selections = {
            "tuple": permissions.services,
            "person": permissions.persons,
            "device": permissions.devices,
        }

    @abstractmethod
    def prune(self, root: etree._Element) -> None:
        """Take out of a document what is hidden."""

    def refuses(self, name: etree.QName) -> bool:
        """Whether an attribute of this name is refused, rather than not mentioned."""
        exact = (name.namespace or "", name.localname)
        denied = self.permissions.denied
        return (exact in denied or (None, name.localname) in denied) and exact not in self.permissions.granted

    def trim(self, element: etree._Element) -> None:
        """Take out of a `user-input` what its level does not tell."""
        kept = _KEPT_OF_INPUT.get(self.level)
        if kept is not None and etree.QName(element).localname == "user-input":
            _keep(element, kept)


class _Open(_View):
    """What is not refused is shown."""

    __slots__ = ()

    def __init__(self, permissions: Permissions) -> None:
        super().__init__(permissions, UserInput.FULL)

    def prune(self, root: etree._Element) -> None:
        for child in list(root):
            if self._shows(child):
                self.trim(child)
                self.prune(child)
            else:
                root.remove(child)

    def _shows(self, element: etree._Element) -> bool:
        name = etree.QName(element)
        if name.localname in self.selections:
            selection = self.selections[name.localname]
            return selection is None or _selects(selection, element)
        if name.localname == "user-input" and self.level is UserInput.FALSE:
            return False
        return not self.refuses(name)


class _Closed(_View):
    """What is not given is hidden."""

    __slots__ = ()

    def __init__(self, permissions: Permissions) -> None:
        every = permissions.all_attributes
        super().__init__(permissions, UserInput.FULL if every else UserInput.FALSE)
        if every:
            self.level = UserInput.FULL

    def prune(self, root: etree._Element) -> None:
        _keep(root, _OF_PRESENCE)
        root.text = None
        for child in list(root):
            child.tail = None
            name = etree.QName(child)
            if not (_is_presence(name) and name.localname in self.selections):
                self._prune_attribute(child)
            elif _selects(self.selections[name.localname], child):
                self._prune_component(child)
            else:
                root.remove(child)

    def _prune_component(self, element: etree._Element) -> None:
        """Prune a service, person or device, or the status of a service."""
        _keep(element, _OF_COMPONENT)
        element.text = None
        for child in list(element):
            child.tail = None
            name = etree.QName(child)
            if not _is_presence(name):
                self._prune_attribute(child)
            elif name.localname == "status":
                self._prune_component(child)
            elif name.localname in _SKELETON:
                _keep(child, _OF_SKELETON)
                del child[:]
            else:
                self._prune_attribute(child)

    def _prune_attribute(self, element: etree._Element) -> None:
        """Remove a presence attribute that is not given; prune one that is."""
        if self._gives(etree.QName(element)):
            self._prune_inside(element)
        else:
            _remove(element)

    def _prune_inside(self, element: etree._Element) -> None:
        self.trim(element)
        for child in list(element):
            name = etree.QName(child)
            hidden = self.refuses(name) or _has_permission(name)
            if hidden and not self._gives(name):
                element.remove(child)
            else:
                self._prune_inside(child)

    def _gives(self, name: etree.QName) -> bool:
        granted = self.permissions.granted
        if self.permissions.all_attributes or (name.namespace or "", name.localname) in granted:
            return True
        if name.localname in ATTRIBUTES and not _is_presence(name):
            return False
        if name.localname == "user-input":
            return self.level is not UserInput.FALSE
        return (None, name.localname) in granted


def _is_presence(name: etree.QName) -> bool:
    """Whether a name is one of PIDF or of its standard extensions."""
    return name.namespace == pidf.NAMESPACE or (name.namespace or "").startswith(_EXTENSIONS)


def _has_permission(name: etree.QName) -> bool:
    return name.localname in ATTRIBUTES and _is_presence(name)


def _selects(selection: Selection | None, component: etree._Element) -> bool:
    """Whether a service, person or device is among the selected."""
    if selection is None:
        return False
    if selection.everything:
        return True
    return any(_fits(kind, value, component) for kind, value in selection.selectors)


def _fits(kind: str, value: str, component: etree._Element) -> bool:
    match kind:
        case "occurrence-id":
            return component.get("id") == value
        case "service-uri":
            return any(_same_uri(value, contact) for contact in _texts(component, "contact"))
        case "service-uri-scheme":
            return any(contact.partition(":")[0].lower() == value for contact in _texts(component, "contact"))
        case _:
            return value in _texts(component, kind)


def _texts(component: etree._Element, name: str) -> list[str]:
    return [(child.text or "").strip() for child in component if etree.QName(child).localname == name]


def _same_uri(left: str, right: str) -> bool:
    if left == right:
        return True
    try:
        return parse_uri(left).equals(parse_uri(right))
    except RemoteError:
        return False


def _keep(element: etree._Element, names: frozenset[str]) -> None:
    """Remove all attributes but these."""
    for name in [name for name in element.attrib if name not in names]:
        del element.attrib[name]


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
