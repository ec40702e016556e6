"""Every address of the site."""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.urls import path
from registrations import public, views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("login/", LoginView.as_view(template_name="registrations/login.html"), name="login"),
    path("registrations/new/", views.new, name="new"),
    path("registrations/", views.register, name="register"),
    path("registrations/<uuid:key>/", views.detail, name="detail"),
    path("registrations/<uuid:key>/issue/", views.issue, name="issue"),
    path("registrations/<uuid:key>/revoke/", views.revoke, name="revoke"),
    path("registrations/<uuid:key>/credential/", views.credential, name="credential"),
    path("status/<slug:name>", public.status_list, name="status-list"),
    path(".well-known/did.json", public.did_document, name="did-document"),
]
