package count

import (
	"math"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
)

// indicator is an objective whose events are spans, compiled for matching. It is immutable.
type indicator struct {
	objective string
	service   string
	// kind is OTLP's number, or anyKind.
	kind int32
	// operations are the span names that are events, nil where all are.
	operations map[string]struct{}
	// conditions are indexes into attributes.conditions. All must be met.
	conditions []int
	// latency says that an event is bad when it took longer than threshold nanoseconds; otherwise when its status is an
	// error.
	latency   bool
	threshold uint64
}

const anyKind = -1

var kindNumbers = map[string]int32{
	"": anyKind, "internal": wire.KindInternal, "server": wire.KindServer, "client": wire.KindClient,
	"producer": wire.KindProducer, "consumer": wire.KindConsumer,
}

// compile turns the objectives into indicators, whose conditions it adds to attrs. Objectives that count no spans are left out.
// Where only traffic matters no span is bad, however long it takes.
func compile(objectives []slo.Objective, attrs *attributes) (indicators []*indicator) {
	for _, o := range objectives {
		if !o.Indicator.CountsSpans() {
			continue
		}
		sel := o.Indicator.Spans
		in := &indicator{
			objective: o.Name,
			service:   sel.Service,
			kind:      kindNumbers[sel.Kind],
			latency:   o.Indicator.Type == slo.Latency,
			threshold: uint64(max(o.Indicator.Threshold, 0)),
		}
		if o.Indicator.WantsTraffic() {
			in.latency, in.threshold = true, math.MaxUint64
		}
		if len(sel.Operations) > 0 {
			in.operations = make(map[string]struct{}, len(sel.Operations))
			for _, name := range sel.Operations {
				in.operations[name] = struct{}{}
			}
		}
		for key, value := range sel.Attributes {
			in.conditions = append(in.conditions, attrs.add(key, value))
		}
		indicators = append(indicators, in)
	}
	return indicators
}

// selects reports whether spans of the operation can be events. Kind and attributes, which are not known of an operation, are checked
// for each span.
func (in *indicator) selects(operation string) bool {
	if in.operations == nil {
		return true
	}
	_, ok := in.operations[operation]
	return ok
}

// defaultReason is why an event is bad where nothing more is known.
func (in *indicator) defaultReason() string {
	if in.latency {
		return reasonLatency
	}
	return reasonError
}
