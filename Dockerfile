# docker build -t dropkeep .
# docs/install.md says how the image is run, and how its metrics are scraped.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN make install DESTDIR=/image PREFIX=/usr

FROM debian:bookworm-slim
# Root certificates and time zones as they are now: no version is asked for.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 900 dropkeep \
    && useradd --system --uid 900 --gid 900 --home-dir /data --no-create-home --shell /usr/sbin/nologin dropkeep \
    && install -d -o 900 -g 900 -m 700 /data
COPY --from=build /image/usr/bin/dropkeep /usr/bin/dropkeep
COPY --from=build --chown=0:900 /image/etc/dropkeep /etc/dropkeep
COPY --from=build /image/usr/share/dropkeep /usr/share/dropkeep
COPY --from=build /image/usr/share/doc/dropkeep /usr/share/doc/dropkeep

# Goes before data_dir in whatever configuration is mounted.
ENV DROPKEEP__DATA_DIR=/data
VOLUME /data
USER 900:900
# http.listen is loopback, and of the container alone, until the configuration says otherwise.
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["dropkeep", "status", "--alive"]
ENTRYPOINT ["dropkeep"]
CMD ["--config", "/etc/dropkeep/dropkeep.toml", "serve"]
