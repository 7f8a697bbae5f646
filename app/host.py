"""One process between its start and its end: sealed until it is given a root, then a service and what it does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import audit
from app.service import Service, open_service
from app.settings import Settings
from app.unsealing import FOLDER, Door
from audit import Event
from core.errors import Refused, Unavailable, VaultError
from core.secret import Secret
from keys import Root, Typed, root_from

TRIES_AGAIN = timedelta(seconds=15)
"""Where the root is elsewhere and was away when the process started."""
ROOT_IS_AWAY = "root_unreachable"
_LOG = logging.getLogger("vault.app")


class Host:
    """Holds the service, as soon as there is one.

    Args:
        settings: this process's.
        name: what its socket is called.
        begin: starts what this process does; called once, in whatever thread the root came by. It raises where the
            store mustn't be served.
    """

    def __init__(self, settings: Settings, *, name: str, begin: Callable[[Service], None]) -> None:
        self.service: Service | None = None
        self._settings = settings
        self._begin = begin
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._door = Door(settings.store / FOLDER, name=name, give=self._given, is_sealed=self.is_sealed)

    def is_sealed(self) -> bool:
        """Whether the keys are closed: not given yet, or under another root since."""
        return self.service is None or self.service.keystore.is_sealed

    def start(self, root: Root | None) -> None:
        """Begin, at once with a root, else when it is given.

        Args:
            root: what opens the keyring; without one, or while it can't be reached, the process is sealed.

        Raises:
            Refused: ``wrong_root``.
            Unavailable: ``quarantined``; a database is gone; or nobody could unseal it.
        """
        away = False
        if root is not None:
            try:
                self._open(root)
            except Unavailable as error:
                if error.code != ROOT_IS_AWAY:
                    raise
                away = True
                _LOG.error("the root is away", extra={"code": error.code})
        try:
            self._door.open()
        except Unavailable as error:
            if self.service is None:
                raise
            _LOG.warning("can't be unsealed later", extra={"code": error.code})
        if away and root is not None:
            threading.Thread(target=self._keep_trying, args=(root,), name="root", daemon=True).start()
        if self.service is None:
            _LOG.warning("sealed", extra={"code": "sealed"})

    def end(self) -> None:
        """Let go of everything."""
        self._ended.set()
        self._door.close()
        with self._turn:
            if self.service is not None:
                self.service.close()

    def _given(self, secret: Secret[str]) -> None:
        self._give(root_from(self._settings.root, given=Typed(secret)))

    def _give(self, root: Root) -> None:
        with self._turn:
            if self._ended.is_set():
                raise Unavailable("closing", "This process ends.")
            if self.service is None:
                self._open(root)
            elif not self.service.keystore.unseal_again(root):
                return
            assert self.service is not None
            with self.service.db.begin() as session:
                audit.record(session, Event.STORE_UNSEALED, actor=None)
        _LOG.info("unsealed")

    def _open(self, root: Root) -> None:
        service = open_service(self._settings, root=root)
        try:
            self._begin(service)
        except BaseException:
            service.close()
            raise
        self.service = service

    def _keep_trying(self, root: Root) -> None:
        while not self._ended.wait(TRIES_AGAIN.total_seconds()) and self.is_sealed():
            try:
                self._give(root)
            except Refused as error:
                _LOG.error("not unsealed", extra={"code": error.code})
                return  # a token would lock; `unseal` takes it from here
            except VaultError as error:
                _LOG.warning("not unsealed", extra={"code": error.code})
