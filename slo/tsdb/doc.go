// Package tsdb keeps the gateway's metrics and answers PromQL about them: the extension and the exporter `tsdb`.
//
// The Extension opens an embedded Prometheus time series database, or, where `remote` is set, leads to the Prometheus
// API of another system. Either way it is a Querier for the code of this house and serves Prometheus' HTTP API for
// Grafana and the dashboard. The exporter translates OTLP metrics as Prometheus does and appends them to the extension.
//
// Rules:
//   - Only this package and those below it call Prometheus' storage and PromQL, whose API changes between tags. Here,
//     embedded.go opens the database, engine.go queries it, append.go writes it, and promapi.go serves it; below, internal/admit
//     checks the limits of requests, internal/census counts the series, internal/trim removes those from the log that there is no
//     room for, internal/batch translates samples before they are written, internal/promvalue the results of queries,
//     internal/promlog log messages, internal/promapi answers over HTTP as Prometheus does, and internal/upkeep compacts.
//   - Samples that the database rejects (out of order, say) are counted, returned to the sender (package partial), and not
//     retried. Samples that it could not write (a full disk) give an error that the sender may retry.
//   - Everything that a request can make grow has a limit (Config.MaxSeries, LimitsConfig), which is checked before the request is
//     translated. The gateway's own metrics (package own) are exempt, and foreign metrics never take their room.
//   - A panic in the database, as by a full disk or a fault in a mapped file, breaks it: Extension.away keeps all callers out, and the
//     next writer opens it anew (Extension.comeBack). It has no lock but Extension.mu, which is only tried there.
//   - A shutdown waits for the requests that are being served, as the database's files must not be unmapped under them.
//
//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
package tsdb
