"""Show of a base document what a purpose needs, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.credentials.model import Credential
from vcid.credentials.presets import Purpose, get_preset
from vcid.encoding.contexts import Contexts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.securing.disclosure import BaseDocument


def disclose(
    base: BaseDocument,
    purpose: Purpose | str,
    *,
    more: Iterable[str] = (),
    contexts: Contexts | None = None,
) -> Credential:
    """Derive a credential that shows what a purpose needs; what is mandatory is shown always.

    What a document does not have, such as the names of a child who has none yet, is passed over.

    Args:
        base: what the issuer handed to the holder.
        purpose: ``school``, ``clinic``, ``border`` or ``aid``: see `vcid.credentials.presets`.
        more: JSON pointers to what is to be shown besides.
        contexts: the JSON-LD contexts known; those carried by default.

    Raises:
        ValueError: it is no such purpose.
        Malformed: the document has no presets (``not-disclosable``), or a pointer is faulty; InvalidRecord
            for several.
        InvalidProof: the base proof is not this document's.
    """
    pointers = dict.fromkeys([*get_preset(base.to_json(), Purpose(purpose)), *more])
    known = Contexts.carried() if contexts is None else contexts
    return Credential.from_json(base.derive([*pointers], contexts=known))
