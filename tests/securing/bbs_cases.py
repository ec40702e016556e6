"""The two documents of the bbs-2023 vectors, with their keys and intermediate values."""

import json

from vcid.keys.bbs import LocalBbsSigner

# The folder of each document, and the name that its pointers' files begin with.
CASES = {"windsurf": ("", "wind"), "prc": ("prc", "prCred")}


class Case:
    def __init__(self, vectors, name):
        folder, pointers = CASES[name]
        self.name = name
        self._root = vectors / "vc-di-bbs" / "TestVectors"
        self._folder = self._root / folder
        # The unsigned document's own file may differ from what was signed in its description.
        self.secured = self.read("addSignedSDBase")
        self.document = {name: member for name, member in self.secured.items() if name != "proof"}
        self.mandatory = self._read_root(f"{pointers}Mandatory")
        self.selective = self._read_root(f"{pointers}Selective")
        self._keys = self._read_root("BBSKeyMaterial")
        self.hmac_key = bytes.fromhex(self._keys["hmacKeyString"])
        self.presentation_header = bytes.fromhex(
            self._read_root("BBSDeriveMaterial")["presentationHeaderHex"]
        )

    def read(self, file):
        return json.loads((self._folder / f"{file}.json").read_bytes())

    def _read_root(self, file):
        return json.loads((self._root / f"{file}.json").read_bytes())

    @property
    def signer(self):
        return LocalBbsSigner.from_private_bytes(bytes.fromhex(self._keys["privateKeyHex"]))

    @property
    def shown(self):
        """The revealed document, its proof configuration and its proof value."""
        return split(self.read("derivedRevealDocument"))


def split(secured):
    """Take a secured document apart as verifiers do."""
    unsecured = {name: member for name, member in secured.items() if name != "proof"}
    config = {name: member for name, member in secured["proof"].items() if name != "proofValue"}
    return unsecured, config, secured["proof"]["proofValue"]
