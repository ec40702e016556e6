"""The two documents of the ecdsa-sd-2023 vectors, with their keys and intermediate values."""

import json

from vcid.encoding.multikey import KeyType, decode_multibase
from vcid.keys.signing import LocalSigner

CASES = {"employ": "employ", "prc": "prCred"}


class Case:
    def __init__(self, vectors, name):
        self._folder = vectors / "vc-di-ecdsa" / "TestVectors"
        self._name = name
        # The unsigned document's own file may differ from what was signed in its description.
        self.secured = self.read("addSignedSDBase")
        self.document = {name: member for name, member in self.secured.items() if name != "proof"}
        self.mandatory = json.loads((self._folder / f"{CASES[name]}Mandatory.json").read_bytes())
        self.selective = json.loads((self._folder / f"{CASES[name]}Selective.json").read_bytes())
        self._keys = json.loads((self._folder / "ecdsa-sd-2023" / "SDKeyMaterial.json").read_bytes())
        self.hmac_key = bytes.fromhex(self._keys["hmacKeyString"])

    def read(self, file):
        return json.loads((self._folder / "ecdsa-sd-2023" / self._name / f"{file}.json").read_bytes())

    @property
    def signer(self):
        return LocalSigner.from_private_bytes(KeyType.P256, self._secret("baseKeyPair"))

    def draw(self):
        """Give the vectors' HMAC key and then the private key of their proof, as randomness does."""
        drawn = iter([self.hmac_key, self._secret("proofKeyPair")])
        return lambda _size: next(drawn)

    def _secret(self, pair):
        return decode_multibase(self._keys[pair]["secretKeyMultibase"])[2:]
