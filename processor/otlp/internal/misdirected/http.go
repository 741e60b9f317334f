package misdirected

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

// Answer writes a refusal as OTLP over HTTP has it.
type Answer func(w http.ResponseWriter, req *http.Request, message string, code int)

// maxDrained is how many bytes of a body are read before the answer: a sender that is cut off while it writes does not read.
const maxDrained = 4 << 20

// Unserved returns the handler of the paths that the HTTP port does not serve.
func (r *Requests) Unserved() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		kind := kindOf(req.URL.Path)
		switch {
		case req.URL.Path == r.tracesPath: // served, if there were a pipeline
			kind = Traces
		case req.URL.Path == r.metricsPath:
			kind = Metrics
		case kind == Unknown && isOTLP(req):
			kind = Path
		}
		r.refuse(w, req, request{kind: kind, transport: "http", host: req.Host, what: req.URL.Path, from: req.RemoteAddr}, http.StatusNotFound)
	})
}

// refuse answers over HTTP, with the code, or over gRPC.
func (r *Requests) refuse(w http.ResponseWriter, req *http.Request, q request, code int) {
	_, _ = io.CopyN(io.Discard, req.Body, maxDrained)
	advice := r.report(req.Context(), q)
	if !q.gRPC {
		r.answer(w, req, advice, code)
		return
	}
	// A status without a message: gRPC has it in the headers.
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", strconv.Itoa(int(codes.InvalidArgument)))
	w.Header().Set("Grpc-Message", url.PathEscape(advice))
	w.WriteHeader(http.StatusOK)
}

// isOTLP reports whether a request looks like one of OTLP over HTTP.
func isOTLP(req *http.Request) bool {
	t := req.Header.Get("Content-Type")
	return req.Method == http.MethodPost && (strings.HasPrefix(t, "application/x-protobuf") || strings.HasPrefix(t, "application/json"))
}

// HTTP returns a handler that answers gRPC, and leaves the rest to next.
func (r *Requests) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.ProtoMajor < 2:
			next.ServeHTTP(w, req)
		case req.Method == "PRI" && req.RequestURI == "*":
			r.notNegotiated(w)
		case isGRPC(req.Header.Get("Content-Type")):
			kind := GRPCOnHTTP
			if k := kindOf(req.URL.Path); k == Zipkin || k == Jaeger {
				kind = k
			}
			r.refuse(w, req, request{kind: kind, transport: "http", gRPC: true, host: req.Host, what: req.URL.Path, from: req.RemoteAddr}, 0)
		default:
			next.ServeHTTP(w, req)
		}
	})
}

// notNegotiated takes a connection over TLS that begins with HTTP/2, though it was to be HTTP/1: its client negotiated nothing.
func (r *Requests) notNegotiated(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusHTTPVersionNotSupported)
		return
	}
	start := make([]byte, buffered.Reader.Buffered())
	_, _ = io.ReadFull(buffered, start) // they are there
	const read = "PRI * HTTP/2.0\r\n\r\n"
	r.detached.take(&replay{Conn: conn, start: append([]byte(read), start...)}, arrival{transport: "http"})
}
