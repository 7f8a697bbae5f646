"""Ask this machine's own server whether it is ready, as a container's health check does. Status 0 or 1.

It reads the same settings as the server, so it knows where that listens and which name it answers to.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
from urllib.parse import urlsplit

from app.settings import Settings, from_environment, host_and_port
from core.errors import Invalid

_PATIENCE_SECONDS = 4


def is_ready(settings: Settings) -> bool:
    """Whether ``/readyz`` says 200."""
    host, port = host_and_port(settings.listen)
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is listened on, turned into this machine
    line: http.client.HTTPConnection
    if settings.tls_certificate is None:
        line = http.client.HTTPConnection(near, port, timeout=_PATIENCE_SECONDS)
    else:
        itself = ssl.create_default_context()
        itself.check_hostname, itself.verify_mode = False, ssl.CERT_NONE  # it is asked whether it lives, nothing else
        line = http.client.HTTPSConnection(near, port, timeout=_PATIENCE_SECONDS, context=itself)
    try:
        line.request("GET", "/readyz", headers={"Host": urlsplit(settings.public_origin).netloc})
        return line.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


if __name__ == "__main__":
    try:
        READY = is_ready(from_environment(os.environ))
    except Invalid:
        READY = False
    sys.exit(0 if READY else 1)
