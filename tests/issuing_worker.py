"""One issuer's folder as several processes open it: what they do at once, and what one does until it is killed."""

import sys
from pathlib import Path

from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.keys.signing import LocalSigner
from world import World, birth

LOG, WITNESS, SIGNER = (
    lambda seed=seed: LocalSigner.from_private_bytes(KeyType.ED25519, bytes([seed]) * 32)
    for seed in (1, 2, 3)
)


def open_issuer(folder):
    """The world and the issuer of a folder, with the keys that every process of it has."""
    world = World(folder, log_key=LOG(), witness_key=WITNESS())
    return world, world.issuer(signer=SIGNER())


def place(credential):
    """Where a credential's revocation stands."""
    entries = parse_object(credential.content)["credentialStatus"]
    (entry,) = (entry for entry in entries if entry["statusPurpose"] == "revocation")
    return entry["statusListCredential"], entry["statusListIndex"]


def race(folder, name, barrier, answers):
    """Issue twenty keys that all processes share, and twenty of one's own."""
    _, issuer = open_issuer(folder)
    barrier.wait()
    for number in range(20):
        for key in (f"shared-{number}", f"{name}-{number}"):
            credential = issuer.issue(birth(number), key=key)
            answers.put((key, credential.content, place(credential)))


def work(folder, turn):
    """Publish, issue and revoke without end, and print what was done once it was."""
    _, issuer = open_issuer(folder)
    issuer.publish()
    for number in range(10**6):
        key = f"{turn}-{number}"
        credential = issuer.issue(birth(number), key=key)
        print("issued", key, credential.content.decode(), sep="\t", flush=True)
        if number % 3 == 0:
            issuer.revoke(key=key)
            print("revoked", key, sep="\t", flush=True)
        if number % 5 == 0:
            issuer.publish()


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
