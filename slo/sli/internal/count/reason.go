package count

import (
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
)

// The reasons of bad events where a span says nothing better.
const (
	reasonError   = "error"
	reasonLatency = "latency"
)

// maxReason is the longest reason in bytes: an error.type that is longer is a message rather than a type.
const maxReason = 64

// reasonKeys are the attributes that say why a span failed, best first. The last is what HTTP instrumentation wrote
// before semantic conventions 1.20.
var reasonKeys = [...]string{
	"error.type",
	"http.response.status_code",
	"rpc.response.status_code",
	"rpc.grpc.status_code",
	"http.status_code",
}

// failureReason says why a span whose status is an error failed. A number is written to scratch.
func failureReason(span, scratch []byte) []byte {
	for _, key := range reasonKeys {
		v, ok := wire.SpanAttribute(span, key)
		if !ok {
			continue
		}
		switch v.Kind() {
		case wire.Int:
			return strconv.AppendInt(scratch[:0], v.Int(), 10)
		case wire.String:
			if n := len(v.Bytes()); n > 0 && n <= maxReason {
				return v.Bytes()
			}
		}
	}
	return append(scratch[:0], reasonError...)
}
