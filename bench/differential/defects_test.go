package differential

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// defect is a known way in which contrib decides other than its documentation says.
type defect struct {
	name string
	kind string // of the policy that has it
	// shows reports whether the defect can make a difference for this trace under a policy set up like this.
	shows func(section map[string]any, td ptrace.Traces) bool
}

var defects = []defect{{
	name:  "probabilistic decides by a hash of the trace ID that no weight can be read from",
	kind:  "probabilistic",
	shows: func(map[string]any, ptrace.Traces) bool { return true },
}, {
	name: "numeric_attribute reads a value of another type as the integer 0",
	kind: "numeric_attribute",
	shows: func(section map[string]any, td ptrace.Traces) bool {
		return hasOfType(td, section["key"], func(v pcommon.Value) bool { return v.Type() != pcommon.ValueTypeInt })
	},
}, {
	name: "numeric_attribute takes a bound of 0 for none",
	kind: "numeric_attribute",
	shows: func(section map[string]any, td ptrace.Traces) bool {
		return section["min_value"] == 0 || section["max_value"] == 0
	},
}, {
	name: "boolean_attribute reads a value of another type as false",
	kind: "boolean_attribute",
	shows: func(section map[string]any, td ptrace.Traces) bool {
		return hasOfType(td, section["key"], func(v pcommon.Value) bool { return v.Type() != pcommon.ValueTypeBool })
	},
}, {
	name: "string_attribute reads a value of another type as an empty string",
	kind: "string_attribute",
	shows: func(section map[string]any, td ptrace.Traces) bool {
		return hasOfType(td, section["key"], func(v pcommon.Value) bool { return v.Type() != pcommon.ValueTypeStr || v.Str() == "" })
	},
}, {
	name: "latency judges an upper bound on the spans seen so far",
	kind: "latency",
	shows: func(section map[string]any, td ptrace.Traces) bool {
		upper, ok := section["upper_threshold_ms"].(int)
		return ok && duration(td) > time.Duration(upper)*time.Millisecond
	},
}, {
	name: "latency compares whole milliseconds",
	kind: "latency",
	shows: func(section map[string]any, td ptrace.Traces) bool {
		over := duration(td)
		for _, bound := range []any{section["threshold_ms"], section["upper_threshold_ms"]} {
			if ms, ok := bound.(int); ok && over.Truncate(time.Millisecond) == time.Duration(ms)*time.Millisecond {
				return true
			}
		}
		return false
	},
}}

// hasOfType reports whether a resource or span of the trace has the key with such a value.
func hasOfType(td ptrace.Traces, key any, is func(pcommon.Value) bool) bool {
	in := func(m pcommon.Map) bool {
		v, ok := m.Get(key.(string))
		return ok && is(v)
	}
	return slices.ContainsFunc(spansOf(td), func(s ptrace.Span) bool { return in(s.Attributes()) }) ||
		slices.ContainsFunc(resourcesOf(td), func(r pcommon.Resource) bool { return in(r.Attributes()) })
}

func resourcesOf(td ptrace.Traces) (all []pcommon.Resource) {
	for _, rs := range td.ResourceSpans().All() {
		all = append(all, rs.Resource())
	}
	return all
}

func spansOf(td ptrace.Traces) (all []ptrace.Span) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				all = append(all, span)
			}
		}
	}
	return all
}

// duration is from the earliest start to the latest end.
func duration(td ptrace.Traces) time.Duration {
	var start, end pcommon.Timestamp
	for i, span := range spansOf(td) {
		if i == 0 || span.StartTimestamp() < start {
			start = span.StartTimestamp()
		}
		end = max(end, span.EndTimestamp())
	}
	return time.Duration(end - start)
}
