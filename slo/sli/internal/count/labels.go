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

// KindName returns the label of a kind of a Mark.
func KindName(kind uint8) string { return kindNames[kind] }

// StatusName returns the label of a status of a Mark.
func StatusName(status uint8) string { return statusNames[status] }

// Objective returns the name of the objective that the events are of.
func (s *EventSeries) Objective() string { return s.tally.tally.indicator.objective }

// Service returns the label of the service.
func (s *EventSeries) Service() string { return s.tally.operation.service.label }

// Operation returns the label of the operation.
func (s *EventSeries) Operation() string { return s.tally.operation.label }

// Version returns the label of the service's version.
func (s *EventSeries) Version() string { return s.tally.version.label }

// Reason returns the label of why the events are bad, and false if the series is of the total.
func (s *EventSeries) Reason() (label string, bad bool) {
	if s.reason == nil {
		return "", false
	}
	return s.reason.label, true
}

// Service returns the label of the service.
func (s *CallSeries) Service() string { return s.operation.service.label }

// Operation returns the label of the operation.
func (s *CallSeries) Operation() string { return s.operation.label }

// Kind returns the name of the spans' kind.
func (s *CallSeries) Kind() string { return kindNames[s.kind] }

// Status returns the name of the spans' status.
func (s *CallSeries) Status() string { return statusNames[s.status] }
