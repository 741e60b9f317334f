package rest

import (
	"encoding/hex"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// ParseTraceID reads 32 hexadecimal digits, or the 16 that some tools write for IDs with a zero half.
func ParseTraceID(s string) (id pcommon.TraceID, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 16 && len(raw) != 8 {
		return id, fmt.Errorf("%q is no trace ID: it must be 32 hexadecimal digits", s)
	}
	copy(id[16-len(raw):], raw)
	return id, nil
}
