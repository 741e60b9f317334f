package tracetest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// Shape is a kind of trace that is designed to take long. Handling it must not take more than n log n.
type Shape struct {
	Name string
	// Of returns a trace whose size, in spans or in their content, grows with n.
	Of func(n int) ptrace.Traces
}

// hostile is a trace under construction.
type hostile struct {
	ptrace.Traces
	ss   ptrace.ScopeSpans
	next uint64
}

const (
	server   = ptrace.SpanKindServer
	client   = ptrace.SpanKindClient
	internal = ptrace.SpanKindInternal
)

// process begins a resource, with a clock of its own unless host is empty.
func (h *hostile) process(service, host string) pcommon.Map {
	rs := h.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	if host != "" {
		rs.Resource().Attributes().PutStr("host.name", host)
	}
	h.ss = rs.ScopeSpans().AppendEmpty()
	return rs.Resource().Attributes()
}

// span adds a span with a start and a length in milliseconds. With id 0 it gets the next ID.
func (h *hostile) span(id, parent uint64, kind ptrace.SpanKind, start, length int) ptrace.Span {
	if h.next++; id == 0 {
		id = h.next
	}
	s := h.ss.Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{15: 1})
	s.SetSpanID(spanID(id))
	s.SetParentSpanID(spanID(parent))
	s.SetKind(kind)
	s.SetName("n")
	at := epoch.UnixNano() + int64(start)*1e6
	s.SetStartTimestamp(pcommon.Timestamp(at))
	s.SetEndTimestamp(pcommon.Timestamp(at + int64(length)*1e6))
	return s
}

func spanID(n uint64) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

// shape returns a Shape that fills a trace with one process.
func shape(name string, fill func(h *hostile, n int)) Shape {
	return Shape{name, func(n int) ptrace.Traces {
		h := &hostile{Traces: ptrace.NewTraces()}
		h.process("service", "host")
		fill(h, n)
		return h.Traces
	}}
}

// attributes puts n attributes in front of a map's own. Unlike Put it does not search for the key each time.
func attributes(m pcommon.Map, n int, key string) {
	all := wire.AttributeMap(func(yield func([]byte, wire.Value) bool) {
		for i := range n {
			a := wire.StringAttribute(fmt.Sprintf("%s%d", key, i), "v")
			if !yield([]byte(a.Key), a.Value()) {
				return
			}
		}
	})
	for key, v := range m.All() {
		v.CopyTo(all.PutEmpty(key))
	}
	all.MoveTo(m)
}

// Hostile are the shapes. If two quantities multiply in a trace, one shape has many of both.
var Hostile = slices.Concat(tangled, copied, timed, laden)

// tangled have many spans in unusual trees.
var tangled = []Shape{
	shape("one parent", func(h *hostile, n int) {
		h.span(1, 0, server, 0, 1000)
		for i := range n {
			h.span(uint64(i+2), 1, internal, i%900, 1)
		}
	}),
	shape("identical children", func(h *hostile, n int) {
		h.span(1, 0, server, 0, 1000)
		for i := range n {
			h.span(uint64(i+2), 1, internal, 1, 1)
		}
	}),
	shape("chain", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(i), internal, 0, 1000)
		}
	}),
	shape("chain upwards", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(n-i), uint64(n-i-1), internal, i, 1)
		}
	}),
	shape("one cycle", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64((i+1)%n+1), internal, i, 1)
		}
	}),
	shape("cycles", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(i^1)+1, internal, i, 1)
		}
	}),
	shape("own parents", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(i+1), internal, i, 1)
		}
	}),
	shape("missing parents", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(n+i+1), internal, i, 1)
		}
	}),
	shape("no IDs", func(h *hostile, n int) {
		for i := range n {
			h.span(1, 1, internal, i, 1).SetSpanID(pcommon.SpanID{})
		}
	}),
	shape("parents with one ID", func(h *hostile, n int) {
		for i := range n {
			h.process(fmt.Sprint("service", i), "")
			h.span(1, 0, server, i, 1)
			h.span(0, 1, client, i, 1)
		}
	}),
	shape("one link each", func(h *hostile, n int) {
		for i := range n {
			s := h.span(uint64(i+1), uint64(i), internal, i, 1)
			l := s.Links().AppendEmpty()
			l.SetTraceID(s.TraceID())
			l.SetSpanID(spanID(uint64(n - i)))
		}
	}),
	shape("links to each other", func(h *hostile, n int) {
		for i := range n / 16 {
			s := h.span(uint64(i+1), 0, internal, i, 1)
			for k := range 16 {
				l := s.Links().AppendEmpty()
				l.SetTraceID(s.TraceID())
				l.SetSpanID(spanID(uint64((i*k)%(n/16) + 1)))
			}
		}
	}),
	shape("retries", func(h *hostile, n int) {
		h.span(1, 0, server, 0, n)
		for i := range n {
			h.span(uint64(i+2), 1, client, i, 1).Status().SetCode(ptrace.StatusCodeError)
		}
	}),
	shape("much work before retries", func(h *hostile, n int) {
		const root, first = 1, 2
		h.span(root, 0, server, 0, 4*n)
		h.span(first, root, internal, 0, 1).Status().SetCode(ptrace.StatusCodeError)
		for range n / 3 {
			h.span(0, first, server, 0, 1)
		}
		for i := range n / 3 {
			id := uint64(2*n + i)
			h.span(id, root, internal, 10+i, 1)
			h.span(0, id, server, 10+i, 1)
		}
	}),
}

// copied have many copies of spans.
var copied = []Shape{
	shape("copies", func(h *hostile, n int) {
		for range n {
			h.span(1, 0, server, 0, 1)
		}
	}),
	shape("pairs of copies", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i/2+1), 0, server, 0, 1)
		}
	}),
	shape("one ID, distinct times", func(h *hostile, n int) {
		for i := range n {
			h.span(1, 0, server, i, 1)
		}
	}),
	shape("one ID, distinct keys", func(h *hostile, n int) {
		for i := range n {
			h.span(1, 0, server, 0, 1).Attributes().PutStr(fmt.Sprint("key", i), "v")
		}
	}),
	shape("one ID, distinct values", func(h *hostile, n int) {
		for i := range n {
			h.span(1, 0, server, 0, 1).Attributes().PutInt("key", int64(i))
		}
	}),
	shape("one ID, distinct events", func(h *hostile, n int) {
		for i := range n {
			h.span(1, 0, server, 0, 1).Events().AppendEmpty().SetName(fmt.Sprint("event", i))
		}
	}),
	shape("one ID, distinct links", func(h *hostile, n int) {
		for i := range n {
			l := h.span(1, 0, server, 0, 1).Links().AppendEmpty()
			l.SetTraceID(pcommon.TraceID{1: byte(i), 2: byte(i >> 8), 3: byte(i >> 16)})
			l.SetSpanID(spanID(uint64(i + 1)))
		}
	}),
	shape("pairs with one ID", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i/2+1), 0, server, 0, 1).Attributes().PutInt("key", int64(i))
		}
	}),
	shape("one ID, many kinds and services", func(h *hostile, n int) {
		for i := range n {
			h.process(fmt.Sprint("service", i/5), "")
			h.span(1, 1, ptrace.SpanKind(1+i%5), 0, 1)
		}
	}),
	shape("one ID, a large resource", func(h *hostile, n int) {
		attributes(h.process("service", "host"), n, "k")
		for i := range n {
			h.span(1, 0, server, 0, 1).Attributes().PutInt("key", int64(i))
		}
	}),
	shape("one ID, a large scope", func(h *hostile, n int) {
		attributes(h.ss.Scope().Attributes(), n, "k")
		for i := range n {
			h.span(1, 0, server, 0, 1).Attributes().PutInt("key", int64(i))
		}
	}),
	shape("one ID, large resources that are told apart at their ends", func(h *hostile, n int) {
		for k := range 2 {
			m := h.process("service", "host")
			attributes(m, n, "k")
			if k == 0 {
				m.PutStr("x", "1")
			}
			m.PutStr("y", "1")
			if k == 1 {
				m.PutStr("x", "1")
			}
			for i := range n {
				h.span(uint64(i+1), 0, server, 0, 1)
			}
		}
	}),
	shape("one ID, large scopes that are told apart at their ends", func(h *hostile, n int) {
		for k := range 2 {
			h.process("service", "host")
			attributes(h.ss.Scope().Attributes(), n, "k")
			h.ss.Scope().Attributes().PutInt("x", int64(k))
			for i := range n {
				h.span(uint64(i+1), 0, server, 0, 1)
			}
		}
	}),
}

// timed have many clocks, or times that contradict each other.
var timed = []Shape{
	shape("no times", func(h *hostile, n int) {
		for i := range n {
			s := h.span(uint64(i+1), uint64(i/2), internal, 0, 0)
			s.SetStartTimestamp(0)
			s.SetEndTimestamp(0)
		}
	}),
	shape("far futures", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(i/2), internal, 0, 0).SetStartTimestamp(pcommon.Timestamp(uint64(i)<<40 + 1))
		}
	}),
	shape("one time", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(i/2), internal, 0, 1)
		}
	}),
	shape("clocks", func(h *hostile, n int) {
		h.span(1, 0, client, 1000, 1000)
		for i := range n {
			h.process("service", fmt.Sprint("host", i))
			h.span(uint64(i+2), 1, server, i%3000, 10)
		}
	}),
	shape("a chain of clocks", func(h *hostile, n int) {
		for i := range n {
			h.process("service", fmt.Sprint("host", i))
			h.span(uint64(i+1), uint64(i), ptrace.SpanKind(2+i%2), (i*7919)%1000, 1+n-i)
		}
	}),
	shape("groups of clocks", func(h *hostile, n int) {
		for i := range n {
			h.process("service", fmt.Sprint("host", i))
			parent := uint64(i)
			if i%128 == 0 {
				parent = 0
			}
			h.span(uint64(i+1), parent, ptrace.SpanKind(2+i%2), (i*7919)%1000, 1+n-i)
		}
	}),
	shape("128 clocks, each with each", func(h *hostile, n int) {
		at := make([]ptrace.ScopeSpans, 128)
		for i := range at {
			h.process("service", fmt.Sprint("host", i))
			at[i] = h.ss
		}
		for i := range n / 2 {
			id, a, b := uint64(2*i+1), i%128, (i/128+i+1)%128
			h.ss = at[a]
			h.span(id, 0, client, 1000, 1000+i%500)
			h.ss = at[b]
			h.span(id+1, id, server, (i*7919)%3000, 1+i%500)
		}
	}),
	shape("a large client of many servers", func(h *hostile, n int) {
		attributes(h.span(1, 0, client, 1000, 1000).Attributes(), n, "k")
		for i := range n {
			if i%(n/100+1) == 0 {
				h.process("service", fmt.Sprint("host", i))
			}
			h.span(uint64(i+2), 1, server, i%3000, 10)
		}
	}),
}

// laden have spans with much content.
var laden = []Shape{
	shape("attributes", func(h *hostile, n int) { attributes(h.span(1, 0, server, 0, 1).Attributes(), n, "k") }),
	shape("attributes with one key", func(h *hostile, n int) {
		m := h.span(1, 1, server, 0, 1).Attributes() // merging appends another copy with the same keys
		attributes(m, n, "k")
		m.CopyTo(h.span(1, 1, server, 0, 2).Attributes())
	}),
	shape("events", func(h *hostile, n int) {
		s := h.span(1, 0, server, 0, 1)
		for i := range n {
			e := s.Events().AppendEmpty()
			e.SetName("e")
			e.Attributes().PutInt("k", int64(i))
		}
	}),
	shape("links", func(h *hostile, n int) {
		s := h.span(1, 0, server, 0, 1)
		for i := range n {
			l := s.Links().AppendEmpty()
			l.SetTraceID(pcommon.TraceID{0: 1, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)})
			l.SetSpanID(spanID(uint64(i + 1)))
		}
	}),
	shape("a list", func(h *hostile, n int) {
		list := h.span(1, 0, server, 0, 1).Attributes().PutEmptySlice("k")
		for range n {
			list.AppendEmpty().SetStr("v")
		}
	}),
	shape("a long value", func(h *hostile, n int) {
		h.span(1, 0, server, 0, 1).Attributes().PutStr("k", strings.Repeat("v", 16*n))
	}),
	shape("a long name", func(h *hostile, n int) { h.span(1, 0, server, 0, 1).SetName(strings.Repeat("v", 16*n)) }),
	shape("a long tracestate", func(h *hostile, n int) {
		h.span(1, 0, server, 0, 1).TraceState().FromRaw(strings.Repeat("ot=th:8,", n))
	}),
	shape("tracestates", func(h *hostile, n int) {
		for i := range n {
			h.span(uint64(i+1), uint64(i), server, 0, 1).TraceState().FromRaw("a=b,ot=rv:00000000000001;th:8")
		}
	}),
	shape("services", func(h *hostile, n int) {
		for i := range n {
			h.process(fmt.Sprint("service", i), "")
			h.span(uint64(i+1), uint64(i/2), server, i, 1).SetName(fmt.Sprint("name", i))
		}
	}),
	shape("resources of one service", func(h *hostile, n int) {
		for i := range n {
			h.process("service", "").PutInt("n", int64(i))
			h.span(uint64(i+1), uint64(i/2), server, i, 1)
		}
	}),
	shape("scopes", func(h *hostile, n int) {
		rs := h.ResourceSpans().At(0)
		for i := range n {
			h.ss = rs.ScopeSpans().AppendEmpty()
			h.ss.Scope().SetName(fmt.Sprint("scope", i))
			h.span(uint64(i+1), uint64(i/2), server, i, 1)
		}
	}),
	shape("a large resource", func(h *hostile, n int) {
		attributes(h.process("service", "host"), n, "k")
		for i := range n {
			h.span(uint64(i+1), uint64(i/2), server, i, 1)
		}
	}),
	shape("a large scope", func(h *hostile, n int) {
		attributes(h.ss.Scope().Attributes(), n, "tailsampling.k")
		for i := range n {
			h.span(uint64(i+1), uint64(i/2), server, i, 1)
		}
	}),
}
