package lawtest

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// RandomGraph creates n spans with few IDs, so that they collide, miss parents, form loops and name
// themselves.
func RandomGraph(rng *rand.Rand, n int) ptrace.Traces {
	td := ptrace.NewTraces()
	anyID := func() (id pcommon.SpanID) { id[7] = byte(rng.IntN(n + 3)); return id }
	anyTime := func() pcommon.Timestamp {
		switch rng.IntN(12) {
		case 0:
			return 0
		case 1:
			return pcommon.Timestamp(rng.Uint64())
		default:
			return pcommon.NewTimestampFromTime(Epoch.Add(time.Duration(rng.IntN(1000)) * time.Microsecond))
		}
	}
	for range n {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "s"+strconv.Itoa(rng.IntN(3)))
		if rng.IntN(3) > 0 {
			rs.Resource().Attributes().PutStr("host.name", "h"+strconv.Itoa(rng.IntN(4)))
		}
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetTraceID(TraceID)
		span.SetSpanID(anyID())
		span.SetParentSpanID(anyID())
		span.SetKind(ptrace.SpanKind(rng.IntN(6)))
		span.SetName("n" + strconv.Itoa(rng.IntN(2)))
		span.SetStartTimestamp(anyTime())
		span.SetEndTimestamp(anyTime())
		if rng.IntN(4) == 0 {
			span.SetFlags([]uint32{0x101, 0x301}[rng.IntN(2)])
		}
		if rng.IntN(4) == 0 {
			l := span.Links().AppendEmpty()
			l.SetTraceID(TraceID)
			l.SetSpanID(anyID())
		}
		if rng.IntN(6) == 0 {
			span.CopyTo(rs.ScopeSpans().At(0).Spans().AppendEmpty())
		}
	}
	return td
}

// HonestTrace creates a tree of calls between hosts in true time, with each span's times in its host's clock.
func HonestTrace(rng *rand.Rand, hosts int, off map[string]int64) ptrace.Traces {
	td := ptrace.NewTraces()
	next := uint64(0)
	add := func(host int, parent pcommon.SpanID, kind ptrace.SpanKind, from, to int64) pcommon.SpanID {
		next++
		rs := td.ResourceSpans().AppendEmpty()
		SetResource(rs.Resource().Attributes(), "svc/h"+strconv.Itoa(host))
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		var id pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], next)
		span.SetTraceID(TraceID)
		span.SetSpanID(id)
		span.SetParentSpanID(parent)
		span.SetKind(kind)
		at := Epoch.UnixNano() + off["svc @ h"+strconv.Itoa(host)]
		span.SetStartTimestamp(pcommon.Timestamp(at + from))
		span.SetEndTimestamp(pcommon.Timestamp(at + to))
		return id
	}
	var serve func(host int, parent pcommon.SpanID, from, to int64, depth int)
	serve = func(host int, parent pcommon.SpanID, from, to int64, depth int) {
		id := add(host, parent, ptrace.SpanKindServer, from, to)
		step := (to - from) / 4
		for k := range int64(3) {
			if depth == 0 || step < 1000 {
				return
			}
			start := from + k*step + rng.Int64N(step/4) + 1
			end := start + step/2 + rng.Int64N(step/4)
			client := add(host, id, ptrace.SpanKindClient, start, end)
			out, back := 1+rng.Int64N(step/8), 1+rng.Int64N(step/8)
			serve(rng.IntN(hosts), client, start+out, end-back, depth-1)
		}
	}
	serve(0, pcommon.SpanID{}, 1, 1_000_000_001, 3)
	return td
}
