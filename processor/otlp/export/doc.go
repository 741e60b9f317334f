//go:generate mdatagen metadata.yaml

// Package export is the exporters otlp_grpc and otlp_http. They have the configuration and the clients of the Collector's, and
// beyond: kept traces (wire.Kept) leave as the bytes that they came as, and no request is larger than its destination takes.
//
// Its types are GRPCConfig and HTTPConfig, exporter (traces in: kept ones go straight to a client, decoded ones through the
// Collector's exporterhelper with its queue and retries), the clients grpcClient and httpClient (one request out, one
// answer back), body (a request's bytes, which go back to a pool when nobody reads them any more) and sizeLimit (how large a
// request may be, which the destination's answers change). Metrics, logs and profiles are the Collector's exporters' own.
//
// # States of the limit
//
//	answer to a request            limit
//	accepted                       stays; an hour after it last changed it doubles, up to max_request_size
//	too large                      half of that request, at least minRequest; the spans are sent again in smaller ones
//	too large, at minRequest       stays; the answer is passed on
//	RESOURCE_EXHAUSTED without     as too large; at minRequest it was a quota and no size: the limit is again what it was,
//	RetryInfo, no word of a size   and the answer is to retry
//
// An exporter may be called concurrently; a Kept has one goroutine at a time. The only lock is sizeLimit's, held while it is
// read and changed.
package export
