# VIG Vault in a container: built from the hash-pinned lock, run by nobody in particular, with nothing to write to but
# its volumes. Not tried with an engine yet; tests/deploy checks what can be checked without one.
#
# The tag is precise, but a tag can be moved: look its digest up and build with
#   --build-arg PYTHON_IMAGE=python:3.11.13-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock pyproject.toml ./
COPY deploy/locked.py deploy/locked.py
RUN python deploy/locked.py build > /build.lock \
    && python deploy/locked.py runtime > /runtime.lock \
    && python -m venv /build \
    && /build/bin/pip install --require-hashes -r /build.lock \
    && python -m venv --without-pip /opt/vig-vault \
    && /build/bin/pip --python /opt/vig-vault/bin/python install --require-hashes -r /runtime.lock
COPY . .
RUN PATH="/build/bin:$PATH" pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && pip --python /opt/vig-vault/bin/python install --no-deps --no-index /wheel/*.whl \
    && /opt/vig-vault/bin/python -m compileall -q /opt/vig-vault/lib

FROM ${PYTHON_IMAGE}
# bubblewrap helps only where containers may make user namespaces; Landlock and seccomp are put on in any case.
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap libseccomp2 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 vault \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin vault \
    && install -d -m 0700 -o vault -g vault \
        /var/lib/vig-vault/store /var/lib/vig-vault/recovery /var/lib/vig-vault/witness
COPY --from=build /opt/vig-vault /opt/vig-vault
ENV PATH=/opt/vig-vault/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /
EXPOSE 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "app.ask"]
ENTRYPOINT ["vig-vault"]
CMD ["serve"]
