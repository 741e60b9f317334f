package clocks

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
)

// startsOnItsOwn reports whether the span may truly start before its parent: a browser's documentLoad begins before the server
// made the span that the page then names as its parent.
func startsOnItsOwn(s *trace.Span) bool {
	return strings.HasSuffix(s.Scope.Name(), "instrumentation-document-load")
}

// waitsFor reports whether the client's end can be believed to come after the server's. It cannot where nobody waits for
// the other side, where the client gave up waiting, or where the server ran for longer, which shows the same without a
// clock: a timeout, a stream, or a response whose body nobody read.
func waitsFor(client, server *trace.Span) bool {
	return client.Kind == ptrace.SpanKindClient && server.Kind == ptrace.SpanKindServer &&
		(client.Flags|server.Flags)&trace.FlagUnfinished == 0 &&
		server.RawDuration() <= client.RawDuration() &&
		!gaveUp(client.Data)
}

// gaveUp reports whether a client span ended because it would wait no longer, or somebody between did so for it.
func gaveUp(client ptrace.Span) bool {
	for k, v := range client.Attributes().All() {
		switch k {
		case "http.response.status_code", "http.status_code":
			switch v.AsString() {
			case "408", "499", "504":
				return true
			}
		case "rpc.grpc.status_code", "rpc.response.status_code", "rpc.status_code", "rpc.connect_rpc.error_code", "error.type":
			if saysGaveUp(v) {
				return true
			}
		}
	}
	return false
}

// saysGaveUp knows gRPC's codes, by number (CANCELLED, DEADLINE_EXCEEDED) or name, and the names that languages give to
// the errors of timeouts.
func saysGaveUp(v pcommon.Value) bool {
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
