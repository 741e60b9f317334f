package sli

// OTLP's span kinds and statuses, as the labels have them: the names that the Collector's spanmetrics connector gives.
const (
	kinds    = 6
	statuses = 3

	statusError = 2
)

var (
	kindNames = [kinds]string{
		"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
		"SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
	}
	statusNames = [statuses]string{"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}
)

// kindOf takes a kind that OTLP does not know yet for an unspecified one.
func kindOf(n int32) uint8 {
	if n < 0 || n >= kinds {
		return 0
	}
	return uint8(n)
}

// statusOf takes a status that OTLP does not know for none.
func statusOf(n int32) uint8 {
	if n < 0 || n >= statuses {
		return 0
	}
	return uint8(n)
}
