# syntax=docker/dockerfile:1
# One image for the server and for fingerprint servers: docs/installing.md.

FROM python:3.12-slim AS builder
# npm is not needed: the build takes a Node.js of its own from the package index.
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY web web
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin tonearm \
    && mkdir /music /data /kernels \
    && chown tonearm: /data /kernels
RUN --mount=type=bind,from=builder,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(echo /wheels/tonearm-*.whl)[postgres]"
ENV NUMBA_CACHE_DIR=/kernels PYTHONUNBUFFERED=1
USER tonearm
# The inner loops of the sound. Kept for this kind of processor; on another they are compiled once more.
RUN python -m tonearm.rendering.warm
VOLUME ["/music", "/data"]
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/api/health', timeout=4)"]
# A container is reached from outside, so it does not start without a token.
ENTRYPOINT ["/bin/sh", "-c", ": \"${TONEARM_ACCESS__TOKEN:?set it to a long random word}\"; exec tonearm \"$@\"", "tonearm"]
CMD ["serve", "/music", "--host", "0.0.0.0", "--port", "8765", "--data-dir", "/data"]
