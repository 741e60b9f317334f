package misdirected

import "strings"

// Kind is what is wrong with a request.
type Kind uint8

// The kinds.
const (
	HTTPOnGRPC    Kind = iota // an HTTP request on the gRPC port
	GRPCOnHTTP                // a gRPC request on the HTTP port
	TLSOnPlain                // a TLS handshake on a port without TLS
	PlainOnTLS                // a request without TLS on a port that has it
	NotNegotiated             // HTTP/2 over TLS on the HTTP port, not negotiated
	Path                      // an OTLP request to a path that is not served
	Traces                    // OTLP traces without a traces pipeline
	Metrics                   // OTLP metrics without a metrics pipeline
	Logs                      // OTLP logs
	Profiles                  // OTLP profiles
	Zipkin                    // Zipkin's API
	Jaeger                    // Jaeger's API
	Unknown                   // anything else
	numKinds
)

// String returns the kind's name in the metric and the log.
func (k Kind) String() string {
	return [numKinds]string{
		"http_on_grpc_port", "grpc_on_http_port", "tls_on_plain_port", "plain_on_tls_port", "http2_not_negotiated", "otlp_path",
		"otlp_traces", "otlp_metrics", "otlp_logs", "otlp_profiles", "zipkin", "jaeger", "unknown",
	}[k]
}

// marks are parts of the paths and gRPC method names of each kind. The first match decides.
var marks = []struct {
	text string
	kind Kind
}{
	{"/v1/logs", Logs},
	{"opentelemetry.proto.collector.logs.", Logs},
	{"/v1development/profiles", Profiles},
	{"opentelemetry.proto.collector.profiles.", Profiles},
	{"opentelemetry.proto.collector.trace.", Traces},
	{"opentelemetry.proto.collector.metrics.", Metrics},
	{"/api/v2/spans", Zipkin},
	{"/api/v1/spans", Zipkin},
	{"zipkin.proto3.", Zipkin},
	{"/api/traces", Jaeger},
	{"jaeger.api_v2.", Jaeger},
}

// kindOf returns the kind of a path or gRPC method that is not served.
func kindOf(path string) Kind {
	for _, m := range marks {
		if strings.Contains(path, m.text) {
			return m.kind
		}
	}
	return Unknown
}
