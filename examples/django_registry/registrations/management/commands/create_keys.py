"""Make the keys of issuer, log and witness, once, in one wallet under the passphrase of the environment."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand

from vcid import LocalSigner, Wallet


class Command(BaseCommand):
    """Create the wallet; one that is there is never replaced."""

    help = "Create the registry's keys. Keep a copy of keys.wallet: nothing replaces it."

    def handle(self, **_options: object) -> None:
        """Write keys.wallet."""
        wallet = Wallet.create(settings.DATA / "keys.wallet", settings.REGISTRY_PASSPHRASE)
        with wallet.editing() as edit:
            for name in ("issuer", "log", "witness"):
                edit.add(name, LocalSigner.generate())
