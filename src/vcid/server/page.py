"""The page for people at ``/``: what is here, and under which DIDs it signs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcid.server.service import Service

_ENDPOINTS = (
    ("POST /{profile}/credentials/issue", "secure a credential"),
    ("POST /{profile}/presentations", "secure a presentation"),
    ("POST /credentials/verify", "verify a credential"),
    ("POST /presentations/verify", "verify a presentation"),
    ("POST /credentials/derive", "derive a credential that shows a part of another"),
    ("POST /credentials/status", "set a status and publish the lists"),
    ("GET /status/{name}", "read a status list"),
    ("GET /identifiers/{did}", "resolve a DID"),
)

_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}td{padding-right:1.5rem}"
)


def write_page(service: Service) -> str:
    """Write the page as HTML, without scripts."""
    endpoints = "".join(
        f"<tr><td><code>{escape(path)}</code></td><td>{escape(use)}</td></tr>" for path, use in _ENDPOINTS
    )
    profiles = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(profile.did)}</code></td></tr>"
        for name, profile in sorted(service.profiles.items())
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>vcid</title>'
        f"<style>{_STYLE}</style><h1>vcid</h1><p>Verifiable credentials over HTTP."
        ' For machines: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<h2>Endpoints</h2><table>{endpoints}</table><h2>Profiles</h2><table>{profiles}</table></html>"
    )
