"""The example of a registry's web application, used through Django's test client."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import vcid

pytest.importorskip("django", reason="Django is in the dependency group examples")

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "django_registry"


@dataclass
class Site:
    """The running site: its stores, and its users by name."""

    data: Path
    users: dict

    def client(self, user: str | None = "registrar", **options):
        from django.test import Client

        client = Client(**options)
        if user is not None:
            client.force_login(self.users[user])
        return client

    def publish(self) -> None:
        from django.core.management import call_command

        call_command("publish", stdout=io.StringIO())

    def verifier(self) -> vcid.Verifier:
        """A verifier that has only what the site hands out."""
        handout = self.data / "handout"
        return vcid.Verifier(
            vcid.Policy.parse((handout / "policy.json").read_bytes()),
            vcid.Knowledge.load(handout / "knowledge"),
            views=vcid.MemoryViewStore(),
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as its README sets it up: secrets in the environment, tables, keys, a first publication."""
    data = tmp_path_factory.mktemp("registry")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="civil_site.settings",
        DJANGO_SECRET_KEY=uuid.uuid4().hex * 2,
        REGISTRY_PASSPHRASE="three words together",
        REGISTRY_DATA=str(data),
    )
    sys.path.insert(0, str(PROJECT))
    import django
    from django.core.management import call_command
    from django.db import connections
    from django.test.utils import setup_test_environment, teardown_test_environment

    django.setup()
    setup_test_environment()
    call_command("migrate", verbosity=0)
    call_command("create_keys")
    here = Site(data, _users())
    here.publish()
    yield here
    connections.close_all()
    teardown_test_environment()
    sys.path.remove(str(PROJECT))


def _users() -> dict:
    from django.contrib.auth.models import Permission, User

    users = {name: User.objects.create(username=name) for name in ("registrar", "archivist", "visitor")}
    users["registrar"].user_permissions.set(Permission.objects.filter(codename__in=["issue", "revoke"]))
    users["archivist"].user_permissions.set(Permission.objects.filter(codename="issue"))
    return users


def said(**changed: str) -> dict[str, str]:
    """What a registrar types, with a key of its own."""
    form = {
        "id": str(uuid.uuid4()),
        "name_status": "recorded",
        "child_name": "Amina Example",
        "birth_date": "2021-03-15",
        "birth_date_basis": "documented",
        "sex_at_birth": "female",
        "birth_country": "KE",
        "parentage_status": "all",
        "parents": "Zawadi Example\r\nJuma Example\r\n",
        "number": "R-1",
        "date": "2021-04-01",
        "office": "Example Office",
        "registration_type": "current",
        "evidence": "",
    }
    return {**form, **changed}


def page(key: str, name: str = "") -> str:
    return f"/registrations/{key}/{name}"


def rows(key: str) -> int:
    from registrations.models import Registration

    return Registration.objects.filter(id=key).count()


def is_issued(key: str) -> bool:
    from registrations.office import office

    return office().issuer.find(key) is not None


def download(client, key: str) -> bytes:
    response = client.get(page(key, "credential/"))
    assert response.status_code == 200
    return response.content


def test_a_birth_is_registered_and_its_credential_verifies(site):
    """From the empty form to a credential that the handed-out knowledge verifies."""
    client = site.client()
    key = str(client.get("/registrations/new/").context["form"].initial["id"])
    response = client.post("/registrations/", said(id=key))
    assert (response.status_code, response.url) == (302, page(key))
    detail = client.get(page(key))
    assert "Amina Example" in detail.text
    assert "no-store" in detail.headers["Cache-Control"]
    verified = site.verifier().verify(download(client, key))
    assert [name["full"] for name in verified.subject["names"]] == ["Amina Example"]
    parents = [parent["names"][0]["full"] for parent in verified.subject["parents"]]
    assert parents == ["Zawadi Example", "Juma Example"]
    assert key.encode() not in download(client, key)


def test_the_same_form_sent_twice_issues_once(site):
    """A second click changes nothing and ends on the same page."""
    client, form = site.client(), said()
    first = client.post("/registrations/", form)
    before = download(client, form["id"])
    second = client.post("/registrations/", form)
    assert (second.status_code, second.url) == (302, first.url)
    assert download(client, form["id"]) == before
    assert rows(form["id"]) == 1


def test_a_form_that_changed_is_not_issued_under_the_same_key(site):
    """Neither the row nor the credential is overwritten."""
    client, form = site.client(), said()
    client.post("/registrations/", form)
    before = download(client, form["id"])
    response = client.post("/registrations/", {**form, "child_name": "Halima Example"})
    assert response.status_code == 422
    assert "sent before" in response.context["form"].non_field_errors()[0]
    assert download(client, form["id"]) == before


def test_all_faults_are_shown_at_once_beside_their_fields(site):
    """What is missing, malformed, contradictory or in the future, each where it was typed."""
    form = said(
        child_name="",
        birth_date="15.03.2021",
        sex_at_birth="",
        birth_country="Kenya",
        date="2999-01-01",
        registration_type="late",
        parents="",
    )
    response = site.client().post("/registrations/", form)
    assert response.status_code == 422
    errors = response.context["form"].errors.as_data()
    assert {field: [error.code for error in found] for field, found in errors.items()} == {
        "child_name": ["required"],
        "birth_date": ["not-a-date"],
        "sex_at_birth": ["required"],
        "birth_country": ["unknown-country"],
        "date": ["in-the-future"],
        "parents": ["required"],
        "evidence": ["evidence-required"],
    }
    assert rows(form["id"]) == 0
    assert not is_issued(form["id"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"parents": "Zawadi Example\n\u202egnorw"}, "parents"),
        ({"birth_date_basis": "hearsay"}, "birth_date_basis"),
        ({"number": "1" * 100}, "number"),
        ({"office": ""}, "office"),
        ({"parentage_status": ""}, "parentage_status"),
        ({"id": "4711"}, "id"),
        ({"id": ""}, "id"),
    ],
)
def test_one_fault_stands_beside_its_field_once(site, changed, field):
    """A fault names its own field and no other; a key that is none is refused."""
    response = site.client().post("/registrations/", said(**changed))
    assert response.status_code == 422
    assert {name: len(found) for name, found in response.context["form"].errors.items()} == {field: 1}


def test_every_field_of_the_form_can_show_a_fault(site):
    """Each place that faults are looked up by leads to a field, and an unknown place to the whole form."""
    from registrations.forms import FIELDS, RegistrationForm, field_of

    assert set(FIELDS.values()) == RegistrationForm.base_fields.keys() - {"id"}
    for start, field in FIELDS.items():
        assert field_of(vcid.errors.FieldError(start, "required", "text")) == field
    assert field_of(vcid.errors.FieldError("/registration/jurisdiction", "wrong-form", "a code")) is None


def test_a_revoked_credential_is_refused_after_the_next_publication(site):
    """Revoking twice is no error; verifiers learn of it by what is published."""
    client, form = site.client(), said()
    client.post("/registrations/", form)
    credential = download(client, form["id"])
    assert "Revoked" not in client.get(page(form["id"])).text
    assert client.post(page(form["id"], "revoke/")).status_code == 302
    assert "<p>Revoked.</p>" in client.get(page(form["id"])).text
    assert client.post(page(form["id"], "revoke/")).status_code == 302
    assert site.verifier().check(credential)
    site.publish()
    with pytest.raises(vcid.Rejected) as refused:
        site.verifier().verify(credential)
    assert [check.code for check in refused.value.report.reasons] == ["revoked"]


def test_the_clinic_script_understands_what_the_site_hands_out(site):
    """The two examples fit together."""
    client, form = site.client(), said()
    client.post("/registrations/", form)
    (site.data / "credential.json").write_bytes(download(client, form["id"]))
    script = PROJECT.parent / "embed_verifier.py"
    given = ["handout/policy.json", "handout/knowledge", "views.db", "credential.json"]
    done = subprocess.run(
        [sys.executable, script, *given], cwd=site.data, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "verified")


def test_nothing_is_issued_or_revoked_by_get(site):
    """A link, a crawler or a prefetch does nothing."""
    client, form = site.client(), said()
    assert client.get("/registrations/", form).status_code == 405
    assert client.get("/registrations/new/", form).status_code == 200
    assert rows(form["id"]) == 0
    client.post("/registrations/", form)
    assert client.get(page(form["id"], "revoke/")).status_code == 405
    assert client.get(page(form["id"], "issue/")).status_code == 405
    site.publish()
    assert site.verifier().check(download(client, form["id"]))


@pytest.mark.parametrize(("user", "status"), [(None, 302), ("visitor", 403)])
def test_who_has_no_permission_sees_and_does_nothing(site, user, status):
    """Strangers are sent to log in, users without the permission are refused; nothing is changed."""
    form = said()
    site.client().post("/registrations/", form)
    stranger, other = site.client(user), said()
    assert stranger.post("/registrations/", other).status_code == status
    assert stranger.post(page(form["id"], "issue/")).status_code == status
    assert stranger.post(page(form["id"], "revoke/")).status_code == status
    for address in ("/", "/registrations/new/", page(form["id"]), page(form["id"], "credential/")):
        response = stranger.get(address)
        assert response.status_code == status
        assert b"Example" not in response.content
    assert rows(other["id"]) == 0
    assert not is_issued(other["id"])


def test_who_may_issue_may_not_therefore_revoke(site):
    """The two permissions are apart."""
    archivist, form = site.client("archivist"), said()
    archivist.post("/registrations/", form)
    assert archivist.post(page(form["id"], "revoke/")).status_code == 403
    site.publish()
    assert site.verifier().check(download(archivist, form["id"]))


def test_a_post_without_the_csrf_token_is_refused(site):
    """Another site can't make a registrar's browser issue or revoke."""
    client, form = site.client(enforce_csrf_checks=True), said()
    assert client.post("/registrations/", form).status_code == 403
    token = client.get("/registrations/new/").context["csrf_token"]
    assert client.post("/registrations/", {**form, "csrfmiddlewaretoken": str(token)}).status_code == 302
    assert client.post(page(form["id"], "revoke/")).status_code == 403


def test_unknown_registrations_are_not_found(site):
    """Neither a page, nor a credential, nor anything to revoke."""
    client, key = site.client(), str(uuid.uuid4())
    assert client.get(page(key)).status_code == 404
    assert client.get(page(key, "credential/")).status_code == 404
    assert client.post(page(key, "revoke/")).status_code == 404


def test_what_was_registered_without_a_credential_is_issued_later(site):
    """After a crash between the row and the credential the page offers to issue; nothing is to be revoked."""
    from registrations.forms import RegistrationForm
    from registrations.models import Registration

    client, form = site.client(), said()
    filled = RegistrationForm(form)
    assert filled.is_valid()
    Registration.objects.create(id=form["id"], record=filled.record, registered_by=site.users["registrar"])
    assert "issue/" in client.get(page(form["id"])).text
    assert client.get(page(form["id"], "credential/")).status_code == 404
    assert client.post(page(form["id"], "revoke/")).status_code == 404
    assert client.post(page(form["id"], "issue/")).status_code == 302
    assert site.verifier().check(download(client, form["id"]))


def at_once(task, arguments) -> list:
    """Run a task on each argument, in threads that start together; what one raises fails the test."""
    from django.db import connections

    start = threading.Barrier(len(arguments))

    def run(argument):
        try:
            start.wait()
            return task(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(run, arguments))


def test_two_threads_that_send_the_same_form_get_the_same_credential(site):
    """The race of a double click is won by one, and both are told the same."""
    for _ in range(3):
        form = said()

        def send(client, form=form) -> bytes:
            assert client.post("/registrations/", form).status_code == 302
            return download(client, form["id"])

        one, other = at_once(send, [site.client(), site.client()])
        assert one == other
        assert rows(form["id"]) == 1


def test_two_threads_that_send_different_forms_get_different_credentials(site):
    """None waits in vain, and no status index is given out twice."""

    def send(sent) -> str:
        client, form = sent
        assert client.post("/registrations/", form).status_code == 302
        return json.dumps(json.loads(download(client, form["id"]))["credentialStatus"], sort_keys=True)

    places = at_once(send, [(site.client(), said(number=f"T-{number}")) for number in range(4)])
    assert len(set(places)) == 4


def test_status_lists_are_whole_and_the_same_for_all(site):
    """The address in a credential gives the list as published, to anybody, with no cookie."""
    registrar, form = site.client(), said()
    registrar.post("/registrations/", form)
    address = json.loads(download(registrar, form["id"]))["credentialStatus"][0]["statusListCredential"]
    assert address.startswith("https://civil.example/status/")
    path = address.removeprefix("https://civil.example")
    public, private = site.client(None).get(path), registrar.get(path)
    assert public.status_code == 200
    assert public.content == private.content
    assert json.loads(public.content)["id"] == address
    assert (public.headers["Content-Type"], public.cookies) == ("application/vc", {})
    assert "public" in public.headers["Cache-Control"]
    assert "Vary" not in public.headers
    again = site.client(None).get(path, headers={"if-none-match": public.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["none", "did", "civil", "https:", "..%2f"])
def test_unknown_status_lists_are_not_found(site, name):
    """A part of an address is not an address, and nothing but lists is given."""
    assert site.client(None).get(f"/status/{name}").status_code == 404


def test_the_did_document_stands_where_did_web_looks_for_it(site):
    """It lists the key that credentials are signed with."""
    response = site.client(None).get("/.well-known/did.json")
    assert (response.status_code, response.cookies) == (200, {})
    document = response.json()
    assert document["id"] == "did:web:civil.example"
    registrar, form = site.client(), said()
    registrar.post("/registrations/", form)
    proof = json.loads(download(registrar, form["id"]))["proof"]
    assert proof["verificationMethod"] in document["assertionMethod"]


def test_logs_name_rows_and_users_and_no_child(site, caplog):
    """What the site logs, at every level, through registration, faults, refusal and revocation."""
    from django.test import override_settings

    client, form = site.client(), said(child_name="Secretname Example", parents="Hiddenname Example")
    with override_settings(DEBUG=True), caplog.at_level(logging.DEBUG):
        client.post("/registrations/", form)
        client.post("/registrations/", {**form, "birth_country": "Secretland"})
        client.post("/registrations/", {**form, "number": "X-9"})
        client.get(page(form["id"]))
        client.post(page(form["id"], "revoke/"))
        site.client(None).get("/status/none")
    user = site.users["registrar"].pk
    lines = [record.getMessage() for record in caplog.records if record.name == "registrations.views"]
    assert lines == [
        f"registration {form['id']}: issued by user {user}",
        f"registration {form['id']}: revoked by user {user}",
    ]
    for secret in ("Secretname", "Hiddenname", "Secretland", "X-9"):
        assert secret not in caplog.text


def test_secrets_have_no_defaults(site):
    """Without its environment the site does not start."""
    for missing in ("DJANGO_SECRET_KEY", "REGISTRY_PASSPHRASE", "REGISTRY_DATA"):
        environment = {name: value for name, value in os.environ.items() if name != missing}
        done = subprocess.run(
            [sys.executable, "-c", "import civil_site.settings"],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert missing in done.stderr


def test_the_project_is_sound(site):
    """Django's own checks pass, and no migration is missing."""
    from django.core.management import call_command

    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_keys_are_never_replaced(site):
    """A second `create_keys` is refused."""
    from django.core.management import call_command

    with pytest.raises(vcid.Conflict):
        call_command("create_keys")


def test_a_wrong_passphrase_opens_nothing(site):
    """The keys rest under the passphrase of the environment alone."""
    with pytest.raises(vcid.errors.Locked):
        vcid.Wallet.open(site.data / "keys.wallet", "three other words")
