# One image for every role: `giftstream gateway` (the default), `worker`, `migrate`, `audit`, `token`.
# It brings no stores of its own; REDIS_URL and DATABASE_URL say where they are.

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/giftstream
# The dependencies are a layer of their own, made anew only when their list changes.
COPY pyproject.toml constraints.txt LICENSE ./
COPY server/__init__.py server/
RUN pip --python /opt/giftstream/bin/python install --no-cache-dir --disable-pip-version-check -c constraints.txt .
COPY server server
COPY static static
RUN pip --python /opt/giftstream/bin/python install --no-cache-dir --disable-pip-version-check \
    --no-deps --force-reinstall .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin giftstream
COPY --from=build /opt/giftstream /opt/giftstream
ENV PATH=/opt/giftstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GIFTSTREAM_HOST=0.0.0.0 \
    GIFTSTREAM_PORT=8080 \
    GIFTSTREAM_LOG_FORMAT=json
WORKDIR /tmp
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["python", "-m", "server.readiness"]
ENTRYPOINT ["giftstream"]
CMD ["gateway"]
