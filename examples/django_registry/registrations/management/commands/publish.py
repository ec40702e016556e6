"""Publish: run it once before the first registration, then every day at the same hour, changed or not."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand

from registrations.office import office
from vcid import Knowledge
from vcid.encoding.json import canonicalize


class Command(BaseCommand):
    """Sign and anchor every status list, and write what verifiers take along."""

    help = "Publish status lists and a checkpoint, and write handout/ for verifiers."

    def handle(self, **_options: object) -> None:
        """Publish, then write handout/knowledge and handout/policy.json."""
        published = office().issuer.publish()
        handout = settings.DATA / "handout"
        Knowledge.gather(office().ledger, office().issuer.published()).save(handout / "knowledge")
        (handout / "policy.json").write_bytes(canonicalize(office().policy.to_json()))
        self.stdout.write(f"{len(published.lists)} status lists, checkpoint of {published.view.size} leaves")
