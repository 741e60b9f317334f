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
func (r *Requests) Unserved(answer Answer) http.Handler {
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
		r.refuse(w, req, kind, "http", http.StatusNotFound, answer)
	})
}

// refuse answers over HTTP.
func (r *Requests) refuse(w http.ResponseWriter, req *http.Request, k Kind, transport string, code int, answer Answer) {
	_, _ = io.CopyN(io.Discard, req.Body, maxDrained)
	answer(w, req, r.report(req.Context(), request{k, transport, req.Host, req.URL.Path, req.RemoteAddr}), code)
}

// isOTLP reports whether a request looks like one of OTLP over HTTP.
func isOTLP(req *http.Request) bool {
	t := req.Header.Get("Content-Type")
	return req.Method == http.MethodPost && (strings.HasPrefix(t, "application/x-protobuf") || strings.HasPrefix(t, "application/json"))
}

// HTTP returns a handler that answers gRPC, and leaves the rest to next.
func (r *Requests) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.ProtoMajor < 2 || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/grpc") {
			next.ServeHTTP(w, req)
			return
		}
		_, _ = io.CopyN(io.Discard, req.Body, maxDrained)
		advice := r.report(req.Context(), request{GRPCOnHTTP, "http", req.Host, req.URL.Path, req.RemoteAddr})
		// A status without a message: gRPC has it in the headers.
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", strconv.Itoa(int(codes.InvalidArgument)))
		w.Header().Set("Grpc-Message", url.PathEscape(advice))
		w.WriteHeader(http.StatusOK)
	})
}
