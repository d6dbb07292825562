"""The language server: what an editor asks, passed on to the functions beside this file, and their answers.

Rules:
1. Whatever is asked and however wrong a script is, the server goes on; what goes wrong is told to the editor.
2. A script is checked in a thread, a moment after the last change to it, and never twice at the same time.
3. Nothing but the protocol is written to stdout.
"""

from __future__ import annotations

import asyncio
import sys
from os.path import normpath
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from openpy import __version__
from openpy.editor import protocol
from openpy.editor.analysis import Analysis, analyse
from openpy.editor.completion import complete
from openpy.editor.hovering import hover
from openpy.editor.names import CannotRename, Occurrence, check_new_name, name_at
from openpy.editor.outline import outline
from openpy.editor.places import UTF_16, Places
from openpy.editor.project import Project
from openpy.script.diagnostics import ScriptError
from openpy.script.formatting import format_script

PATIENCE = 0.25
"""Seconds without a change after which a script is checked."""

TRIGGERS = ["$", "{", "(", '"', "|", "!"]
"""Characters that make an editor ask for what can follow."""


class ScriptServer(LanguageServer):
    """A language server for scripts."""

    def __init__(self) -> None:
        super().__init__("openpy", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.project = Project()
        self._uris: dict[str, str] = {}  # as the editor writes them, by path
        self._published: dict[str, set[str]] = {}  # files that something was said about, by script
        self._checking: dict[str, asyncio.Task[None]] = {}
        self._changed: set[str] = set()

    # --- documents ----------------------------------------------------------------------------------------

    def take(self, uri: str, text: str) -> None:
        """Have the text of a document."""
        path = path_of(uri)
        self._uris[normpath(path)] = uri
        self.project.open(path, text)
        self.check_soon(path)

    def drop(self, uri: str) -> None:
        """A document was closed: nothing is said about it any more."""
        path = normpath(path_of(uri))
        self.project.close(path)
        for file in self._published.pop(path, ()):
            self._publish(file, [])
        main = self.project.script_of(path)
        if main != path:
            self.check_soon(main)

    def places(self, path: str) -> Places:
        """The places of a document, as this editor counts them."""
        return Places(self.project.text(path), self.encoding)

    @property
    def encoding(self) -> str:
        """How this editor counts characters."""
        return str(
            getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding) or UTF_16
        )

    def uri(self, file: str) -> str:
        """The address of a file."""
        return self._uris.get(normpath(file)) or uris.from_fs_path(file) or file

    # --- checks -------------------------------------------------------------------------------------------

    def check_soon(self, path: str) -> None:
        """Check the script that a file belongs to when nothing changes any more."""
        main = self.project.script_of(path)
        self._changed.add(main)
        if main not in self._checking:
            task = asyncio.get_running_loop().create_task(self._check(main))
            self._checking[main] = task
            task.add_done_callback(lambda _: self._checking.pop(main, None))

    async def _check(self, main: str) -> None:
        while main in self._changed:
            self._changed.discard(main)
            await asyncio.sleep(PATIENCE)
            if main in self._changed:
                continue
            before = self.project.analyses.get(main)
            try:
                analysis = await asyncio.to_thread(analyse, main, self.project.reader(), before)
            except OSError:  # it was closed meanwhile, and is nowhere
                continue
            except Exception as error:  # noqa: BLE001 - a module of one's own may raise anything
                self._tell(f"{main} cannot be checked: {type(error).__name__}: {error}")
                continue
            is_open = any(normpath(file) in self.project.texts for file in analysis.sources)
            if is_open and main not in self._changed:
                self.project.keep(analysis)
                self._publish_all(analysis)

    def _publish_all(self, analysis: Analysis) -> None:
        files = {file for file in analysis.sources if normpath(file) in self.project.texts}
        files |= {item.position.file for item in analysis.found if item.position.file in analysis.sources}
        for file in self._published.get(analysis.file, set()) - files:
            self._publish(file, [])
        self._published[analysis.file] = files
        for file in files:
            self._publish(file, protocol.diagnostics_of(analysis, file, self.encoding))

    def _publish(self, file: str, found: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.uri(file), found))

    def _tell(self, text: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))


def path_of(uri: str) -> str:
    """The path of a document; one that is in no file keeps its address."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return path or uri


def make_server() -> ScriptServer:
    """A server with all that it can do."""
    server = ScriptServer()
    _add_documents(server)
    _add_answers(server)
    _add_names(server)
    return server


def serve() -> None:
    """Serve one editor on stdin and stdout until it says `exit`."""
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a module prints
    make_server().start_io(sys.stdin.buffer, output)


def _add_documents(server: ScriptServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.take(params.text_document.uri, params.text_document.text)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        if params.content_changes:
            server.take(params.text_document.uri, params.content_changes[-1].text)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.check_soon(path_of(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.drop(params.text_document.uri)


def _add_answers(server: ScriptServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=TRIGGERS))
    def completed(params: types.CompletionParams) -> types.CompletionList:
        path, places, offset = _asked(server, params)
        return protocol.to_completion(
            places, offset, complete(places.text, offset, server.project.current(path))
        )

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        path, places, offset = _asked(server, params)
        shown = hover(places.text, offset, path, server.project.current(path))
        return protocol.to_hover(places, *shown) if shown else None

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        path = path_of(params.text_document.uri)
        analysis = server.project.current(path)
        file = next((file for file in analysis.sources if normpath(file) == normpath(path)), path)
        places = Places(analysis.examined.parsed.sources.get(file, ""), server.encoding)
        return protocol.to_symbols(places, outline(analysis.examined.parsed.script, file))

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        path = path_of(params.text_document.uri)
        places = server.places(path)
        try:
            text = format_script(places.text, path, server.project.reader())
        except ScriptError as error:
            first = error.diagnostics[0]
            server._tell(f"not formatted: line {first.position.line}: {first.message}")
            return None
        if text == places.text:
            return []
        return [types.TextEdit(protocol.to_range(places, (0, len(places.text))), text)]


def _add_names(server: ScriptServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def defined(params: types.DefinitionParams) -> list[types.Location]:
        _, everywhere = _name(server, params)
        return _locations(server, [item for item in everywhere if item.defines])

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def referred(params: types.ReferenceParams) -> list[types.Location]:
        _, everywhere = _name(server, params)
        return _locations(
            server, [item for item in everywhere if params.context.include_declaration or not item.defines]
        )

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        here, _ = _name(server, params)
        if here is None:
            return None
        places = server.places(here.file)
        return types.PrepareRenamePlaceholder(
            protocol.to_range(places, (here.start, here.end)), here.name.text
        )

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
        here, everywhere = _name(server, params)
        if here is None:
            return None
        try:
            check_new_name(server.project.current(here.file).sources, here.name, params.new_name)
        except CannotRename as reason:
            raise JsonRpcInvalidParams(str(reason)) from None
        changes: dict[str, list[types.TextEdit]] = {}
        for item in everywhere:
            edit = protocol.to_edit(server.places(item.file), item, params.new_name)
            changes.setdefault(server.uri(item.file), []).append(edit)
        return types.WorkspaceEdit(changes)


def _asked(server: ScriptServer, params: Any) -> tuple[str, Places, int]:
    """The document of a question about a place, its places, and which one is meant."""
    path = path_of(params.text_document.uri)
    places = server.places(path)
    return path, places, places.offset((params.position.line, params.position.character))


def _name(server: ScriptServer, params: Any) -> tuple[Occurrence | None, list[Occurrence]]:
    """The name that a question is about, and everywhere that it stands."""
    path, _, offset = _asked(server, params)
    sources = server.project.current(path).sources
    file = next((file for file in sources if normpath(file) == normpath(path)), path)
    return name_at(sources, file, offset) or (None, [])


def _locations(server: ScriptServer, found: list[Occurrence]) -> list[types.Location]:
    return [
        types.Location(
            server.uri(item.file), protocol.to_range(server.places(item.file), (item.start, item.end))
        )
        for item in found
    ]
