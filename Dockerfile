# One image for all four programs and the sample service: static binaries, no
# shell, no package manager, an ordinary user. Name the program as entrypoint.
FROM golang:1.26.8-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown REVISION=unknown
ENV CGO_ENABLED=0
RUN set -eu; \
    v=github.com/prometheus/common/version; \
    flags="-s -w -X $v.Version=$VERSION -X $v.Revision=$REVISION"; \
    mkdir -p /out/var/lib/upkeep; \
    for program in exporter receiver rules dashboards; do \
      go build -trimpath -ldflags "$flags" -o "/out/upkeep-$program" "./$program"; \
    done; \
    go build -trimpath -ldflags "$flags" -o /out/upkeep-sample ./demo/sample

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/upkeep-* /
# The ledger's folder: a new volume takes its owner from here.
COPY --from=build --chown=65532:65532 /out/var/lib/upkeep /var/lib/upkeep
ENV ZONEINFO=/zoneinfo.zip
USER 65532:65532
EXPOSE 9470 9471
ENTRYPOINT ["/upkeep-receiver"]
