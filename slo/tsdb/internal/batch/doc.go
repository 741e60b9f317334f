// Package batch turns OTLP metrics into samples of Prometheus' time series database: Translate fills a Batch, which a Pool
// keeps for the next request, and tells Families what each metric is. A Batch is one goroutine's; the others are
// goroutine-safe, Families by a lock that is held to look a metric up or to note it.
package batch
