"""What everybody may fetch: whole status lists and the DID document, the same bytes for all.

No cookie is read or set, and no address names a credential, so that a fetch says nothing about a child. Put a
cache or plain files in front: then this server does not even learn who verifies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from registrations.office import office

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
@cache_control(public=True, max_age=3600)
@conditional_page
def status_list(_request: HttpRequest, name: str) -> HttpResponse:
    """Give a whole status list, as it was last published."""
    issuer = office().issuer
    content = issuer.published_list(f"{issuer.status_url}/{name}")
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="application/vc")


@require_safe
@cache_control(public=True, max_age=3600)
@conditional_page
def did_document(_request: HttpRequest) -> HttpResponse:
    """Give the issuer's DID document, where did:web looks for it."""
    return JsonResponse(office().issuer.document, content_type="application/did+json")
