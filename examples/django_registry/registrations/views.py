"""What a registrar sees and does. Nothing is issued or revoked but by POST, by somebody with permission."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from registrations.forms import RegistrationForm
from registrations.models import Registration
from vcid import Behind, Conflict, Unavailable

if TYPE_CHECKING:
    from django.http import HttpRequest

log = logging.getLogger(__name__)


@require_safe
@login_required
@permission_required("registrations.issue", raise_exception=True)
def overview(request: HttpRequest) -> HttpResponse:
    """List the newest registrations."""
    newest = Registration.objects.order_by("-registered_at")[:50]
    return render(request, "registrations/overview.html", {"registrations": newest})


@require_safe
@login_required
@permission_required("registrations.issue", raise_exception=True)
def new(request: HttpRequest) -> HttpResponse:
    """Show an empty form, which has its key already."""
    form = RegistrationForm(initial={"id": uuid.uuid4()})
    return render(request, "registrations/form.html", {"form": form})


@require_POST
@sensitive_post_parameters()
@login_required
@permission_required("registrations.issue", raise_exception=True)
def register(request: HttpRequest) -> HttpResponse:
    """Keep what the form says and issue its credential; the same form sent again changes nothing."""
    form = RegistrationForm(request.POST)
    if form.is_valid():
        said = {"record": form.record, "registered_by": request.user}
        kept, _ = Registration.objects.get_or_create(id=form.cleaned_data["id"], defaults=said)
        if kept.record == form.record:
            return _issue(request, kept)
        form.add_error(None, "This form was sent before and said something else. Start a new one.")
    return render(request, "registrations/form.html", {"form": form}, status=422)


@require_POST
@login_required
@permission_required("registrations.issue", raise_exception=True)
def issue(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Issue what was registered while issuing was not possible."""
    return _issue(request, get_object_or_404(Registration, id=key))


def _issue(request: HttpRequest, registration: Registration) -> HttpResponse:
    try:
        registration.issue()
    except (Behind, Conflict, Unavailable) as error:
        log.warning("registration %s: not issued: %s", registration.id, error)
        messages.error(request, "Registered, but not issued yet: tell the administrator, then issue it here.")
    else:
        log.info("registration %s: issued by user %s", registration.id, request.user.pk)
    return redirect(registration)


@never_cache
@require_safe
@login_required
@permission_required("registrations.issue", raise_exception=True)
def detail(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show one registration."""
    registration = get_object_or_404(Registration, id=key)
    return render(request, "registrations/detail.html", {"registration": registration})


@never_cache
@require_safe
@login_required
@permission_required("registrations.issue", raise_exception=True)
def credential(_request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Download a credential, to be handed to the family."""
    found = get_object_or_404(Registration, id=key).credential()
    if found is None:
        raise Http404
    headers = {"Content-Disposition": 'attachment; filename="birth-registration.json"'}
    return HttpResponse(found.content, content_type=found.media_type, headers=headers)


@require_POST
@login_required
@permission_required("registrations.revoke", raise_exception=True)
def revoke(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Revoke a credential. The next publication, on its usual day, tells verifiers."""
    registration = get_object_or_404(Registration, id=key)
    if registration.credential() is None:
        raise Http404
    registration.revoke()
    log.info("registration %s: revoked by user %s", registration.id, request.user.pk)
    messages.success(request, "Revoked. Verifiers learn of it by the next publication.")
    return redirect(registration)
