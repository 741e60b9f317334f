package differential

import (
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// epoch is when the generated traces began, in Unix nanoseconds.
const epoch = 1_800_000_000_000_000_000

// generate makes traces in which everything that a policy can look at varies: values of all types under the same key,
// durations around the limits of the policies, every status, flags, trace states, events.
func generate(rnd *rand.Rand, n int) []ptrace.Traces {
	traces := make([]ptrace.Traces, n)
	for i := range traces {
		traces[i] = oneTrace(rnd)
	}
	return traces
}

func oneTrace(rnd *rand.Rand) ptrace.Traces {
	td := ptrace.NewTraces()
	id := pcommon.TraceID(randomBytes(rnd))
	root := pcommon.SpanID{}
	for range 1 + rnd.IntN(3) {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", pick(rnd, "cart", "checkout", "payment"))
		attributes(rnd, rs.Resource().Attributes(), 8)
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(pick(rnd, "http", "sql"))
		for range 1 + rnd.IntN(3) {
			span := ss.Spans().AppendEmpty()
			span.SetTraceID(id)
			raw := randomBytes(rnd)
			span.SetSpanID(pcommon.SpanID(raw[:8]))
			span.SetParentSpanID(root)
			if root.IsEmpty() {
				root = span.SpanID()
			}
			fill(rnd, span)
		}
	}
	return td
}

func fill(rnd *rand.Rand, span ptrace.Span) {
	span.SetName(pick(rnd, "GET /cart", "POST /checkout", "SELECT"))
	span.SetKind(ptrace.SpanKind(rnd.IntN(6)))
	start := epoch + rnd.Int64N(int64(40*time.Millisecond))
	span.SetStartTimestamp(pcommon.Timestamp(start))
	span.SetEndTimestamp(pcommon.Timestamp(start + rnd.Int64N(int64(80*time.Millisecond))))
	if rnd.IntN(3) == 0 {
		span.Status().SetCode(ptrace.StatusCode(rnd.IntN(3)))
	}
	span.SetFlags(uint32(rnd.IntN(4)) / 3)
	span.TraceState().FromRaw(pick(rnd, "", "", "vendor=blue", "vendor=green,other=1", "other=blue"))
	attributes(rnd, span.Attributes(), 4)
	for range rnd.IntN(3) {
		event := span.Events().AppendEmpty()
		event.SetName(pick(rnd, "exception", "retry"))
		attributes(rnd, event.Attributes(), 3)
	}
}

// attributes puts one of the keys that policies ask for, of any type, with a chance of one in oneIn.
func attributes(rnd *rand.Rand, m pcommon.Map, oneIn int) {
	for _, key := range keys {
		if rnd.IntN(oneIn) != 0 {
			continue
		}
		switch rnd.IntN(6) {
		case 0, 1:
			m.PutStr(key, pick(rnd, words...))
		case 2, 3:
			m.PutInt(key, rnd.Int64N(10)-2)
		case 4:
			m.PutDouble(key, float64(rnd.IntN(20))/2)
		case 5:
			m.PutBool(key, rnd.IntN(2) == 0)
		}
	}
}

// What the policies ask for.
var (
	keys  = []string{"a", "b", "c"}
	words = []string{"x", "y", "true", "", "hello world"}
)

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

func randomBytes(rnd *rand.Rand) (b [16]byte) {
	for i := range b {
		b[i] = byte(rnd.UintN(256))
	}
	return b
}

// together lets all traces arrive at once, each in its own call.
func together(at time.Duration, traces []ptrace.Traces) []arrival {
	arrivals := make([]arrival, len(traces))
	for i, td := range traces {
		arrivals[i] = arrival{at: at, data: td}
	}
	return arrivals
}

func idOf(td ptrace.Traces) pcommon.TraceID {
	return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()
}

func describe(td ptrace.Traces) string {
	var m ptrace.JSONMarshaler
	data, err := m.MarshalTraces(td)
	if err != nil {
		return fmt.Sprintf("trace that cannot be printed: %v", err)
	}
	return string(data)
}
