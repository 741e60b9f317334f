package rule

import (
	"strings"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// maxErrorType is the number of bytes of error.type that are read.
const maxErrorType = 128

// evidence returns the facts about a client span's call, from attributes of the HTTP and RPC conventions.
func evidence(v *SpanView) (e skeleton.Evidence) {
	e.Resends = resends(v.Body)
	if v.Span.Status != wire.StatusError {
		return e
	}
	for _, key := range []string{"http.response.status_code", "http.status_code"} {
		if code, ok := wire.SpanAttribute(v.Body, key); ok && code.Int() > 0 && code.Int() < 1000 {
			e.Code = int32(code.Int())
			break
		}
	}
	for _, key := range []string{"network.peer.address", "net.sock.peer.addr"} {
		if _, ok := wire.SpanAttribute(v.Body, key); ok {
			e.Peer = true
			break
		}
	}
	if grpc, ok := wire.SpanAttribute(v.Body, "rpc.grpc.status_code"); ok && (grpc.Int() == 1 || grpc.Int() == 4) {
		e.Reason = skeleton.ReasonGaveUp // CANCELLED, DEADLINE_EXCEEDED
	}
	if what, ok := wire.SpanAttribute(v.Body, "error.type"); ok && e.Reason == skeleton.ReasonOther {
		e.Reason = reason(what.Bytes())
	}
	if e.Code == 504 {
		e.Reason = skeleton.ReasonGaveUp
	}
	return e
}

// resends returns how often the request of a client span was sent before. It is asked of every call.
func resends(span []byte) int32 {
	attributes := wire.WalkAttributes(span)
	for key, ok := attributes.Next(); ok; key, ok = attributes.Next() {
		if string(key) == "http.request.resend_count" {
			v := attributes.Value()
			return int32(min(max(v.Int(), 0), 1000))
		}
	}
	return 0
}

// Values of error.type in the SDKs of various languages, in lower case.
var (
	notConnected = []string{
		"dns", "unknownhost", "name_resolution", "gaierror", "enotfound", "refused", "unreachable", "tls", "ssl", "certificate",
		"handshake", "circuitbreaker", "circuit_breaker", "callnotpermitted", "connectexception", "connecttimeout",
	}
	gaveUp = []string{"timeout", "timedout", "timed_out", "deadline", "cancel", "abort"}
)

func reason(errorType []byte) skeleton.Reason {
	lower := strings.ToLower(string(errorType[:min(len(errorType), maxErrorType)]))
	for _, part := range notConnected {
		if strings.Contains(lower, part) {
			return skeleton.ReasonNotConnected
		}
	}
	for _, part := range gaveUp {
		if strings.Contains(lower, part) {
			return skeleton.ReasonGaveUp
		}
	}
	return skeleton.ReasonOther
}
