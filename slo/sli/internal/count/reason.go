package count

import "github.com/slowburn/slowburn/slo/sli/internal/judge"

// The reasons of bad events where a span says nothing better.
const (
	reasonError   = "error"
	reasonLatency = "latency"
)

// reasonText returns the reason of an event that is bad for a cause.
func (s *stripe) reasonText(cause judge.Cause) []byte {
	if cause == judge.CauseDuration {
		return []byte(reasonLatency)
	}
	if text := s.judge.ReasonOf(cause); len(text) > 0 {
		return text
	}
	return []byte(reasonError)
}
