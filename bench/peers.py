"""Servers to be measured against, each in processes of its own, and how much processor time they took."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.vault.stores.servers import free_port

_PATIENCE_SECONDS = 30.0
_NGINX = """
daemon off;
{user}
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile {sendfile};
    types {{ video/mp4 mp4; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000;
    server {{ listen 127.0.0.1:{port}; root {films}; }}
}}
"""


@contextmanager
def nginx(program: str, folder: Path, *, films: Path, sendfile: str) -> Iterator[tuple[str, int]]:
    """Nginx with one worker and no log, and ``sendfile`` "on" or "off"; gives its address and its process."""
    folder.mkdir()
    port = free_port()
    user = "" if os.getuid() else "user root root;"  # else its worker is nobody, who may read nothing here
    config = _NGINX.format(folder=folder, films=films, port=port, user=user, sendfile=sendfile)
    (folder / "nginx.conf").write_text(config, encoding="ascii")
    words = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with _running(words, port=port) as pid:
        yield f"http://127.0.0.1:{port}", pid


@contextmanager
def plain(films: Path) -> Iterator[tuple[str, int]]:
    """``bench.plain``; gives its address and its process."""
    port = free_port()
    with _running([sys.executable, "-m", "bench.plain", str(films), str(port)], port=port) as pid:
        yield f"http://127.0.0.1:{port}", pid


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its children have taken so far: to the nanosecond, from the scheduler."""
    found = psutil.Process(pid)
    tasks = (
        task for one in (found, *found.children(recursive=True)) for task in Path(f"/proc/{one.pid}/task").iterdir()
    )
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


@contextmanager
def _running(words: list[str], *, port: int) -> Iterator[int]:
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(words, cwd=root) as process:
        try:
            _await(process, port=port)
            yield process.pid
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], *, port: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    message = f"{process.args!r} didn't begin to listen"
    raise RuntimeError(message)
