package count

import "github.com/slowburn/slowburn/internal/wire"

// OTLP's span kinds and statuses, as the labels have them: the names that the Collector's spanmetrics connector gives.
var (
	kindNames = [wire.NumKinds]string{
		"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
		"SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
	}
	statusNames = [wire.NumStatuses]string{"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}
)

// kindOf takes a kind that OTLP does not know yet for an unspecified one.
func kindOf(n int32) uint8 {
	if n < 0 || n >= wire.NumKinds {
		return 0
	}
	return uint8(n)
}

// statusOf takes a status that OTLP does not know for none.
func statusOf(n int32) uint8 {
	if n < 0 || n >= wire.NumStatuses {
		return 0
	}
	return uint8(n)
}
