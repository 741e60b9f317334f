// Package promapi serves the part of Prometheus' HTTP API that Grafana and other clients read from a time series database.
//
// Prometheus' own handler (web/api/v1) does the same and brings scraping, service discovery and the SDKs of three clouds
// into the binary. TestAnswersOfPrometheus holds the two together, answer by answer.
//
// API has one handler per path. A handler reads its parameters from the URL or a form, and returns an answer or an error. The door
// lets handlers that cost something in as the gate allows, and encodes what they return. Memory of a query's result goes back to the
// engine after it was encoded (answer.close), then the slot to the gate, and then the answer is sent. Nothing here is locked:
// handlers share the engines, the gate and the database, which are safe for concurrent use.
package promapi
