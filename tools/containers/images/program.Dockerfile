# A program by itself, without an entry point, as Dapr has its own; /var/lock is open to its user there
FROM debian:bookworm-slim
ARG NAME
RUN rm -rf /var/lock && mkdir --mode=1777 /var/lock
WORKDIR /
COPY program /${NAME}
USER 65532:65532
