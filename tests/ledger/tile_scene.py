"""A log that was exported to a folder, and files of it to spoil."""

import copy
import shutil

from ledger.scene import Scene
from vcid.ledger.export import export
from vcid.ledger.notes import Checkpoint, Note, sign_note
from vcid.ledger.tile_transport import FolderTransport
from vcid.ledger.tiles import TileReader


class TileScene(Scene):
    """A scene whose log stands in a folder as tiles."""

    def __init__(self, folder, url="memory:", **options):
        super().__init__(url, **options)
        self.folder = folder
        self.transport = FolderTransport(folder)
        self.seq = 0

    @classmethod
    def large(cls, folder):
        """A log of 611 leaves in three checkpoints, exported each time."""
        scene = cls(folder)
        scene.grow(3, list_id="first")
        scene.grow(300, list_id="second")
        scene.grow(303)
        return scene

    def copied_to(self, folder):
        """The same log with a folder of its own."""
        other = copy.copy(self)
        other.folder = shutil.copytree(self.folder, folder)
        other.transport = FolderTransport(folder)
        return other

    def grow(self, number, *, list_id=None):
        """Append entries of one topic, and one of another, publish, and export."""
        self.ledger.append([self.entry(self.seq + place) for place in range(number)])
        self.seq += number
        if list_id is not None:
            self.ledger.append([self.entry(list_id=list_id)])
        self.view = self.ledger.publish()
        return export(self.ledger, self.folder)

    def reader(self):
        return TileReader.open(self.transport, self.key)

    def file(self, path):
        return self.folder / path

    def flip(self, path, place=0):
        """Change one bit of a file."""
        data = bytearray(self.file(path).read_bytes())
        data[place] ^= 1
        self.file(path).write_bytes(bytes(data))

    def sign_checkpoint(self, size, root):
        """Let the log sign any checkpoint at all."""
        text = Checkpoint(self.key.name, size, root).text
        note = Note(text, (sign_note(text, self.key.name, self.log_signer),))
        self.file("checkpoint").write_bytes(note.encode())

    def files(self):
        """Every file of the log by its path."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in found
            if not path.name.startswith(".export")
        }
