# The image: the exporter, the certificate authorities that it trusts for https,
# and the licences. No shell, no libc, no user database.
#
# `make image` lays out what goes in, for each architecture in a folder of its
# own, and builds this with docker or buildah. Nothing runs while it is built, so
# that any machine builds it for any architecture.
FROM scratch

# What Kubernetes can see is not root, which it cannot of a name.
USER 65532:65532
EXPOSE 9104
ENTRYPOINT ["/rocketmq_exporter"]

ARG TARGETARCH
COPY linux-${TARGETARCH}/ /

ARG VERSION
ARG REVISION
ARG CREATED
ARG HOME_PAGE
LABEL org.opencontainers.image.title="rocketmq_exporter" \
      org.opencontainers.image.description="Prometheus exporter for Apache RocketMQ: message backlog down to the consumer process" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="${HOME_PAGE}" \
      org.opencontainers.image.source="${HOME_PAGE}" \
      org.opencontainers.image.documentation="${HOME_PAGE}#readme" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
