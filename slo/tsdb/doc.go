// Package tsdb keeps the gateway's metrics and answers PromQL about them: the extension and the exporter `tsdb`.
//
// The Extension opens an embedded Prometheus time series database, or, where `remote` is set, leads to the Prometheus
// API of another system. Either way it is a Querier for the code of this house and serves Prometheus' HTTP API for
// Grafana and the dashboard. The exporter translates OTLP metrics as Prometheus does and appends them to the extension.
//
// Rules:
//   - Only this package and those below it call Prometheus' storage and PromQL, whose API changes between tags. Here,
//     embedded.go opens the database, engine.go queries it, append.go writes it, and promapi.go serves it; below, internal/admit
//     holds requests against the limits, internal/census counts the series, internal/trim takes those out of the
//     log that there is no room for, internal/batch translates what is written, internal/promvalue what a query gives, internal/promlog what is logged,
//     internal/promapi answers over HTTP as Prometheus does, and internal/upkeep compacts.
//   - What the database will not take (a sample out of order, say) is counted, returned to the sender (package partial), and not retried. What it could not
//     write (a full disk) is an error that the sender may retry.
//   - Whatever a request can make grow has a limit (Config.MaxSeries, LimitsConfig), which is looked at before anything is made of
//     the request. The gateway's own metrics (package own) are exempt, and what others send never takes their room.
//   - What panics in the database, as a full disk and a fault in a mapped file do, breaks it: Extension.away keeps all out, and the next
//     writer opens it anew (Extension.comeBack). It has no lock but Extension.mu, which is only tried there.
//   - A shutdown waits for the requests that are being served, as the database's files must not be unmapped under them.
//
//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
package tsdb
