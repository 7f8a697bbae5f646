"""Running: the server on its socket, the worker beside it, and an end that leaves nothing half-done."""

from __future__ import annotations

import ctypes
import logging
import resource
import signal
import threading
from enum import Enum, auto

import uvicorn

import audit
import consent
from app.duties import make_worker
from app.main import create_app
from app.service import Service
from app.settings import Settings, host_and_port, is_loopback
from app.transport import CuttableProtocol, listening_socket
from core.errors import Invalid, Unavailable
from media.launcher import State, layers

GRACE_SECONDS = 3
_PR_SET_DUMPABLE = 4
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
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        _LOG.warning("core dumps can't be forbidden")


def check_witness(service: Service) -> None:
    """Serve nothing from a store that the witness knows to be older than it was, or another.

    Raises:
        Unavailable: ``quarantined``, with how store and witness stand to each other.
    """
    if service.witness is None:
        return
    report = audit.check_witness(service.db, witness=service.witness, verifier=service.signer.verifier)
    if report.standing not in audit.MAY_SERVE:
        raise Unavailable(
            "quarantined",
            f"This store and its witness don't agree ({report.standing}), so nothing is served. "
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


def serve(service: Service, *, parts: Parts) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: ``quarantined``.
    """
    forbid_dumps()
    check_witness(service)
    consent.publish_notices(service.db)
    settings = service.settings
    listener = listening_socket(*host_and_port(settings.listen))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(service),
            http=CuttableProtocol,
            ws="none",
            loop="uvloop",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=settings.behind_proxy,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
    )
    worker = make_worker(service, name="worker-1") if parts is Parts.ALL else None
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises a signal again once it has shut down; by default that would end us before the worker has ended.
        signal.signal(number, lambda *_: None)
    try:
        if worker:
            check_media()
            worker.start()
        _LOG.info("serving")
        server.run(sockets=[listener])
    finally:
        if worker:
            worker.stop()
        service.close()


def work(service: Service, *, name: str) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        Unavailable: ``quarantined``.
    """
    forbid_dumps()
    check_witness(service)
    consent.publish_notices(service.db)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    worker = make_worker(service, name=name)
    try:
        check_media()
        worker.start()
        _LOG.info("working", extra={"worker": name})
        ended.wait()
    finally:
        worker.stop()
        service.close()
