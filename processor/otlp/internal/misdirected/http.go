package misdirected

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

// Answer writes a refusal in the form of OTLP over HTTP.
type Answer func(w http.ResponseWriter, req *http.Request, message string, code int)

// maxDrained is the number of bytes of a body that are read before the answer: a sender that is cut off while it writes does
// not read the answer.
const maxDrained = 4 << 20

// Unserved returns the handler for paths that the HTTP port does not serve.
func (r *Requests) Unserved() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		kind := kindOf(req.URL.Path)
		switch {
		case req.URL.Path == r.tracesPath: // it would be served if a pipeline had the receiver
			kind = Traces
		case req.URL.Path == r.metricsPath:
			kind = Metrics
		case kind == Unknown && isOTLP(req):
			kind = Path
		}
		r.refuse(w, req, request{kind: kind, transport: "http", host: req.Host, what: req.URL.Path, from: req.RemoteAddr}, http.StatusNotFound)
	})
}

// refuse answers over HTTP, with this code, or over gRPC.
func (r *Requests) refuse(w http.ResponseWriter, req *http.Request, q request, code int) {
	_, _ = io.CopyN(io.Discard, req.Body, maxDrained)
	advice := r.report(req.Context(), q)
	if !q.gRPC {
		r.answer(w, req, advice, code)
		return
	}
	// gRPC has a status without a message in the headers.
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", strconv.Itoa(int(codes.InvalidArgument)))
	w.Header().Set("Grpc-Message", url.PathEscape(advice))
	w.WriteHeader(http.StatusOK)
}

// isOTLP reports whether a request looks like OTLP over HTTP.
func isOTLP(req *http.Request) bool {
	t := req.Header.Get("Content-Type")
	return req.Method == http.MethodPost && (strings.HasPrefix(t, "application/x-protobuf") || strings.HasPrefix(t, "application/json"))
}

// HTTP returns a handler that answers gRPC, and passes other requests to next.
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

// notNegotiated handles a TLS connection that begins with HTTP/2 although its client did not negotiate it.
func (r *Requests) notNegotiated(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusHTTPVersionNotSupported)
		return
	}
	start := make([]byte, buffered.Reader.Buffered())
	_, _ = io.ReadFull(buffered, start) // they are buffered already
	const read = "PRI * HTTP/2.0\r\n\r\n"
	r.detached.take(&replay{Conn: conn, start: append([]byte(read), start...)}, arrival{transport: "http"})
}
