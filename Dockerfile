# Two stages on one base; the result holds the binary, the libraries it loads and nothing else: no shell, no package manager.
#   docker build -t hearth .
#   docker run --read-only -p 4040:4040 -v hearth-data:/var/lib/hearth hearth
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY . .
RUN ./dev build
# Everything the final image contains, laid out as its root: the binary, its libraries, certificates for an S3 bucket, an empty
# data directory that belongs to the unprivileged user. libcurl is no library of the binary: it is loaded when the bucket is at S3.
RUN set -eu; \
    mkdir -p /root-fs/usr/bin /root-fs/var/lib/hearth /root-fs/etc/ssl/certs; \
    cp build/hearth /root-fs/usr/bin/hearth; \
    curl=$(/sbin/ldconfig -p | awk '$1 == "libcurl.so.4" {print $NF; exit}'); \
    mkdir -p "/root-fs$(dirname "$curl")"; cp -L "$curl" "/root-fs$curl"; \
    { ldd build/hearth; ldd "$curl"; } | awk '$3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' | sort -u | while read -r lib; do \
      mkdir -p "/root-fs$(dirname "$lib")"; cp -L "$lib" "/root-fs$lib"; done; \
    if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/; fi; \
    printf 'hearth:x:65532:65532::/var/lib/hearth:/usr/bin/hearth\n' > /root-fs/etc/passwd; \
    chown -R 65532:65532 /root-fs/var/lib/hearth

FROM scratch
COPY --from=build /root-fs /
USER 65532:65532
ENV HEARTH_LISTEN=0.0.0.0:4040 HEARTH_DATA=/var/lib/hearth
VOLUME /var/lib/hearth
EXPOSE 4040
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/hearth", "serve", "--healthcheck"]
ENTRYPOINT ["/usr/bin/hearth"]
CMD ["serve"]
