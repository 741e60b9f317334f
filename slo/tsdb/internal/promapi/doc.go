// Package promapi serves the part of Prometheus' HTTP API that Grafana and other clients read from a time series database.
//
// Prometheus' own handler (web/api/v1) does the same and brings scraping, service discovery and the SDKs of three clouds
// into the binary. TestAnswersOfPrometheus holds the two together, answer by answer.
//
// API has one handler per path. A handler reads its parameters from the URL or a form, and returns an answer or an error; respond
// encodes either. Memory of a query's result goes back to the engine after it was encoded (answer.close). Nothing here is locked:
// handlers share the engine and the database, which are safe for concurrent use.
package promapi
