"""Running: the server on its socket, the worker beside it, and an end that leaves nothing half-done."""

from __future__ import annotations

import logging
import resource
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto
from types import FrameType

import uvicorn

import audit
import consent
from app.duties import make_worker
from app.ending import Ending, Stage
from app.host import Host
from app.main import create_app
from app.process import end_now, hide_memory, on_signals
from app.readiness import sandbox_part
from app.sealed import Front, create_sealed_app
from app.service import Service
from app.settings import Settings, host_and_port, is_loopback
from app.transport import listening_socket, protocol_for
from app.worker import STOPS_WITHIN, Worker
from core.errors import Invalid, Unavailable
from keys import Root
from media.launcher import State, layers

GRACE_SECONDS = 3
"""How long what is being sent to us may still take, after a signal to end."""
CLOSE_SECONDS = 2
"""How long connections may then take to close."""
STOPS_AT_ONCE = timedelta(seconds=1)
_LOG = logging.getLogger("vault.app")


class Parts(Enum):
    """What a process does."""

    ALL = auto()
    PAGES = auto()


def check_transport(settings: Settings) -> None:
    """Refuse to send film in clear over a network.

    Raises:
        Invalid: no certificate, no proxy, and not loopback; or half of a certificate.
    """
    host, _ = host_and_port(settings.listen)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise Invalid("tls_incomplete", "A certificate needs its key: give both --tls-cert and --tls-key.")
    if settings.tls_certificate is None and not settings.behind_proxy and not is_loopback(host):
        raise Invalid(
            "tls_missing", "Give --tls-cert and --tls-key, or say --behind-proxy, or listen on 127.0.0.1 only."
        )


def forbid_dumps() -> None:
    """Have no crash write this process's memory to a disk: keys and film pass through it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hide_memory()


def make_ready(service: Service) -> None:
    """What comes before anything is served or begun.

    Raises:
        Unavailable: ``quarantined``.
    """
    check_witness(service)
    consent.publish_notices(service.db)


def check_witness(service: Service) -> None:
    """Serve nothing from a store that its witness or its keyring know to be older than it was, or another.

    Raises:
        Unavailable: ``quarantined``, with how they stand to each other.
    """
    if not service.keystore.agrees():
        raise _quarantined("keys_behind", "key rows and keyring")
    verifier, remembered = service.signer.verifier, service.keystore.remembered
    standing = audit.check_remembered(service.db, verifier=verifier, remembered=remembered)
    if standing not in audit.MAY_SERVE:
        raise _quarantined(standing, "store and keyring")
    if service.witness is None:
        return
    report = audit.check_witness(service.db, witness=service.witness, verifier=verifier, remembered=remembered)
    if report.standing not in audit.MAY_SERVE:
        raise _quarantined(report.standing, "store and witness")


def _quarantined(standing: str, voices: str) -> Unavailable:
    return Unavailable(
        "quarantined",
        f"These don't agree: {voices} ({standing}), so nothing is served. "
        "It may be an old backup: docs/operations.md says what to do.",
    )


def check_media() -> None:
    """Try the walls around film before one comes, and log what holds; where too little does, films wait, sealed."""
    found = layers()
    for finding in found.findings:
        extra = {"part": finding.layer.value, "code": finding.state.value}
        if finding.state is State.HELD:
            _LOG.info("media layer", extra=extra)
        else:
            _LOG.warning("media layer", extra=extra)
    if not found.hold:
        _LOG.error("media jobs refuse to start", extra={"code": "media_sandbox_missing"})


class Server(uvicorn.Server):
    """uvicorn's server, which drains before it closes its door.

    Args:
        config: uvicorn's.
        ending: this process's end.
    """

    def __init__(self, config: uvicorn.Config, *, ending: Ending) -> None:
        super().__init__(config)
        self._ending = ending
        self._begun_at: float | None = None
        self.signal: Callable[[int], None] = lambda _: None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hand a signal that uvicorn has caught to the process."""
        del frame
        self.signal(sig)

    async def on_tick(self, counter: int) -> bool:
        """Close the door once everything has been answered, or the moment is over."""
        if self._ending.stage > Stage.OPEN:
            self._begun_at = self._begun_at or time.monotonic()
            if time.monotonic() - self._begun_at > GRACE_SECONDS:
                self._ending.press()
            self.should_exit = self.should_exit or not self._ending.answering or self._ending.stage is Stage.PRESSED
        return await super().on_tick(counter)

    def hurry(self) -> None:
        """Wait for nothing any more."""
        self._ending.press()
        self.force_exit = True


def serve(settings: Settings, *, root: Root | None, parts: Parts) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: this process's.
        root: what opens the keyring; without one every page says that it is sealed until somebody unseals it.
        parts: whether films are worked on here too.

    Raises:
        Refused: ``wrong_root``.
        Unavailable: ``quarantined``.
    """
    forbid_dumps()
    ending = Ending()
    front = Front(create_sealed_app(settings, ending=ending))
    workers: list[Worker] = []
    also_ready = (sandbox_part(),) if parts is Parts.ALL else ()

    def begin(service: Service) -> None:
        make_ready(service)
        app = create_app(service, ending=ending, also_ready=also_ready)
        if parts is Parts.ALL:
            worker = make_worker(service, name="worker-1")
            check_media()
            worker.start()
            workers.append(worker)
        front.become(app)
        _LOG.info("serving")

    listener = listening_socket(*host_and_port(settings.listen))
    config = uvicorn.Config(
        front,
        http=protocol_for(settings.public_origin),
        ws="none",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.behind_proxy,
        timeout_graceful_shutdown=CLOSE_SECONDS,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    server = Server(config, ending=ending)
    host = Host(settings, name="serve", begin=begin)
    server.signal = on_signals(ending.begin, server.hurry)
    try:
        host.start(root)
        server.run(sockets=[listener])
    finally:
        for worker in workers:
            worker.stop(within=STOPS_AT_ONCE if server.force_exit else STOPS_WITHIN)
        host.end()
    _LOG.info("ended")
    end_now()


def work(settings: Settings, *, root: Root | None, name: str) -> None:
    """Work until SIGTERM or SIGINT.

    Args:
        settings: this process's.
        root: what opens the keyring; without one nothing is begun until somebody unseals it.
        name: of the worker.

    Raises:
        Refused: ``wrong_root``.
        Unavailable: ``quarantined``.
    """
    forbid_dumps()
    ended, hurried = threading.Event(), threading.Event()
    workers: list[Worker] = []

    def begin(service: Service) -> None:
        make_ready(service)
        worker = make_worker(service, name=name)
        check_media()
        worker.start()
        workers.append(worker)
        _LOG.info("working", extra={"worker": name})

    host = Host(settings, name=name, begin=begin)
    on_signals(ended.set, hurried.set)
    try:
        host.start(root)
        ended.wait()
    finally:
        for worker in workers:
            worker.stop(within=STOPS_AT_ONCE if hurried.is_set() else STOPS_WITHIN)
        host.end()
    _LOG.info("ended")
    end_now()
