package misdirected

import (
	"fmt"
	"net"
	"strings"
)

// Port is a port of a receiver.
type Port struct {
	// Number is the port number in decimal.
	Number string
	// TLS reports whether the port has TLS.
	TLS bool
}

// PortOf returns the port of a listener.
func PortOf(l net.Listener, tls bool) *Port {
	_, number, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil // a Unix socket, for which there is no URL
	}
	return &Port{Number: number, TLS: tls}
}

// url returns the endpoint for SDKs, empty if the protocol is off.
func (p *Port) url(host string) string {
	switch {
	case p == nil:
		return ""
	case p.TLS:
		return "https://" + net.JoinHostPort(host, p.Number)
	default:
		return "http://" + net.JoinHostPort(host, p.Number)
	}
}

// advice returns what a sender must set.
func (r *Requests) advice(q request) string {
	host := hostOf(q.host)
	grpcURL, httpURL := r.grpc.Load().url(host), r.http.Load().url(host)
	switch q.kind {
	case HTTPOnGRPC:
		const wrong = "this port takes OTLP over gRPC, and the request is HTTP: "
		if httpURL == "" {
			return wrong + "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or add protocols::http to the receiver otlp"
		}
		return wrong + "set OTEL_EXPORTER_OTLP_ENDPOINT=" + httpURL + ", or OTEL_EXPORTER_OTLP_PROTOCOL=grpc to keep this port"
	case GRPCOnHTTP:
		const wrong = "this port takes OTLP over HTTP, and the request is gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or "
		if grpcURL == "" {
			return wrong + "add protocols::grpc to the receiver otlp"
		}
		return wrong + "OTEL_EXPORTER_OTLP_ENDPOINT=" + grpcURL + " to keep gRPC"
	case TLSOnPlain:
		return "this port has no TLS, and a TLS handshake came: write http:// instead of https:// in OTEL_EXPORTER_OTLP_ENDPOINT, " +
			"or add tls to the protocol of the receiver otlp"
	case PlainOnTLS:
		const wrong = "this port has TLS, and the request came without: set OTEL_EXPORTER_OTLP_ENDPOINT="
		own, other, protocol := httpURL, grpcURL, "grpc"
		if q.gRPC {
			own, other, protocol = grpcURL, httpURL, "http/protobuf"
		}
		if own == "" {
			return wrong + other + " and OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol
		}
		return wrong + own + ", and OTEL_EXPORTER_OTLP_CERTIFICATE if the sender does not trust the certificate there"
	case NotNegotiated:
		return "HTTP/2 over TLS was not negotiated: let the sender offer h2 by ALPN, or use HTTP/1.1"
	case Path:
		return fmt.Sprintf("%s is not served: set OTEL_EXPORTER_OTLP_ENDPOINT=%s, to which SDKs add the path, or "+
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=%[2]s%s, which they use as it is", q.what, httpURL, r.tracesPath)
	case Traces:
		return "traces are not taken here: name this receiver in a traces pipeline"
	case Metrics:
		return "metrics are not taken here: name this receiver in a metrics pipeline, or set OTEL_METRICS_EXPORTER=none"
	case Logs:
		return "logs are not taken, only traces and metrics: set OTEL_LOGS_EXPORTER=none, or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT to " +
			"where logs go"
	case Profiles:
		return "profiles are not taken, only traces and metrics: send them elsewhere"
	case Zipkin:
		return "Zipkin's API is not served: export OTLP (OTEL_TRACES_EXPORTER=otlp), or put a Collector with the zipkin receiver in front"
	case Jaeger:
		return "Jaeger's API is not served: export OTLP (OTEL_TRACES_EXPORTER=otlp), or put a Collector with the jaeger receiver in front"
	default:
		if q.gRPC {
			return q.what + " is not served: OTLP over gRPC is taken for traces and metrics"
		}
		return fmt.Sprintf("%s is not served: OTLP over HTTP is taken by POST to %s and %s", q.what, r.tracesPath, r.metricsPath)
	}
}

// hostOf returns a host without its port, and a placeholder for none.
func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host = strings.Trim(host, "[]"); host == "" {
		return "<gateway>"
	}
	return host
}
