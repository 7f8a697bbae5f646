"""The real application on the test databases, and browsers of people who are signed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import audit
import consent
import identity
import retention
from app.main import create_app
from app.messages import sender_for
from app.service import Service, consent_policy
from app.settings import Settings
from core.db import Database
from core.ids import VisitId
from core.secret import Secret
from keys import KeyStore
from tests.app.browser import ORIGIN, Browser
from tests.app.keyshop import Shop, make_shop
from tests.families import Family, make_family
from tests.retention.conftest import Shelf
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import Clip, add_clip, add_footage
from vault import Bounds, DiskStore

ClientFor = Callable[..., Browser]


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A new store, to be copied."""
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(made_shop: Shop, tmp_path: Path) -> Shop:
    """A new store that a test may break."""
    return made_shop.copied(tmp_path / "shop")


@pytest.fixture
def service(db: Database, keystore: KeyStore, tmp_path: Path) -> Service:
    """Composed as ``app.service.open_service`` does, on the test databases. Its watch isn't started."""
    settings = Settings(store=tmp_path, origin=ORIGIN, help_phone="020 7946 0000")
    audit.attach(db, writer_key=keystore.audit_mac_key())
    identity.attach(db, keystore=keystore)
    policy = consent_policy(settings)
    consent.attach(db, policy=policy)
    consent.publish_notices(db)
    return Service(
        settings=settings,
        db=db,
        keystore=keystore,
        store=DiskStore(tmp_path / "objects"),
        watch=consent.Watch(db),
        policy=policy,
        bounds=Bounds(most_bytes=settings.max_upload_bytes),
        sender=sender_for("", sender=settings.messages_from),
        signer=audit.Signer(name="vault.test/log", key=keystore.audit_signing_key()),
        schedule=retention.load(),
        witness=None,
    )


@pytest.fixture
def client_for(service: Service) -> ClientFor:
    """Makes a browser; with a token, of someone who is signed in: ``client_for(family.mother.token)``."""
    app = create_app(service)

    def make(token: Secret[str] | None = None) -> Browser:
        return Browser(app, token)

    return make


@pytest.fixture
def family(db: Database, keystore: KeyStore, service: Service) -> Family:
    return make_family(db, keystore)


@pytest.fixture
def visit(db: Database, family: Family) -> VisitId:
    return identity.record_visit(
        db,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        kind=identity.VisitKind.FILMING,
        visited_on=db.clock.now().date(),
        present=[family.mother.id, family.father.id, family.child],
    )


@pytest.fixture
def clip(service: Service, family: Family, visit: VisitId) -> Clip:
    """A clip of mother, father and child, who agreed to be filmed."""
    agree_to_filming(service.db, service.keystore, family)
    store = service.store
    assert isinstance(store, DiskStore)
    footage = add_footage(service.db, service.keystore, store, family, visit)
    return add_clip(service.db, service.keystore, store, family, footage, content=b"a film, or so it is told")


@pytest.fixture
def shelf(service: Service, family: Family) -> Shelf:
    """Puts film of that family into the store, as finished jobs leave it."""
    assert isinstance(service.store, DiskStore)
    return Shelf(service.db, service.keystore, service.store, family)
