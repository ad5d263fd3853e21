# pause, which holds a pod's network and does nothing
FROM debian:bookworm-slim
USER 65535:65535
ENTRYPOINT ["sleep", "infinity"]
