"""What the application itself keeps of a registration. Its primary key is the key by which vcid knows it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from registrations.office import office
from vcid import BirthRegistration, Credential


class Registration(models.Model):
    """One registered birth, issued as a credential under this row's primary key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    record = models.JSONField()  # in the field names of a birth registration
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Who may do what."""

        permissions = (
            ("issue", "Can register births and issue credentials"),
            ("revoke", "Can revoke credentials"),
        )

    def __str__(self) -> str:
        return str(self.id)

    def get_absolute_url(self) -> str:
        """The page of this registration."""
        return reverse("detail", args=[self.id])

    @property
    def key(self) -> str:
        """The key under which vcid's registry knows this row. It never leaves the registry."""
        return str(self.id)

    def issue(self) -> Credential:
        """Issue the credential, or give again the one that was issued."""
        return office().issuer.issue(BirthRegistration.from_mapping(self.record), key=self.key)

    def credential(self) -> Credential | None:
        """The credential, if it was issued; a revoked one too."""
        return office().issuer.find(self.key)

    def is_revoked(self) -> bool:
        """Whether the credential was revoked, published already or not."""
        issuance = office().registry.find(key=self.key)
        return issuance is not None and issuance.is_revoked

    def revoke(self) -> bool:
        """Revoke the credential for good; verifiers learn of it by the next publication."""
        return office().issuer.revoke(key=self.key)
