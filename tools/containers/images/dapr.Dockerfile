# daprio/<program>, which is by itself in its image, without an entry point; /var/lock is open to its user there
FROM debian:bookworm-slim
ARG NAME
RUN rm -rf /var/lock && mkdir --mode=1777 /var/lock
WORKDIR /
COPY program /${NAME}
USER 65532:65532
