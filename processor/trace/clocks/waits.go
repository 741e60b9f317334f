package clocks

import (
	"strings"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// startsOnItsOwn reports whether the span may really start before its parent: a browser's documentLoad begins before the
// server creates the span that the page later names as its parent.
func startsOnItsOwn(s *trace.Span) bool {
	return strings.HasSuffix(s.Scope.Name, "instrumentation-document-load")
}

// waitsFor reports whether the client can be assumed to end after the server, unless it gave up waiting. It cannot if nobody
// waits for the other side, or if the server ran for longer, which even without a clock shows that nobody waited: a timeout,
// a stream, or a response whose body nobody read.
func waitsFor(client, server *trace.Span) bool {
	return client.Kind == wire.KindClient && server.Kind == wire.KindServer &&
		(client.Flags|server.Flags)&trace.FlagUnfinished == 0 &&
		server.RawDuration() <= client.RawDuration()
}

// gaveUp reports whether a client span ended because it, or a proxy for it, stopped waiting. client is the body of a Span.
func gaveUp(client []byte) bool {
	w := wire.WalkAttributes(client)
	for k, ok := w.Next(); ok; k, ok = w.Next() {
		switch string(k) {
		case "http.response.status_code", "http.status_code":
			switch w.Value().AsString() {
			case "408", "499", "504":
				return true
			}
		case "rpc.grpc.status_code", "rpc.response.status_code", "rpc.status_code", "rpc.connect_rpc.error_code", "error.type":
			if saysGaveUp(w.Value()) {
				return true
			}
		}
	}
	return false
}

// saysGaveUp reports whether the text of an error means that the caller stopped waiting: gRPC's codes, by number or
// name (CANCELLED, DEADLINE_EXCEEDED), HTTP's, and the names of timeouts in various languages.
func saysGaveUp(v wire.Value) bool {
	text := strings.ToLower(v.AsString())
	if text == "1" || text == "4" || text == "504" || text == "499" || text == "408" {
		return true
	}
	for _, word := range []string{"deadline", "cancel", "timeout", "timedout", "timed out", "abort"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
