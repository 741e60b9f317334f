package sim

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/test/sim/internal/due"
)

// trace is a simulated trace, with what is known of it.
type trace struct {
	id    [16]byte
	spans []*span
	next  int // the next span to send

	decided int  // number of recorded decisions
	sampled bool // one of them sampled it
	// erred means that a span with an error was acknowledged before the first decision.
	erred bool
	// threshold is the one of the decision that sampled it.
	threshold uint64
	// noted is the number of journaled events at its last decision, and upTo the end of the spans that the decision covers.
	noted     int
	upTo      spanlog.Position
	decidedAt time.Duration
	decidedIn int // the life
	// rejectedIn is the last life in which it was not sampled, and sampledIn the first in which it was; 0 is none.
	rejectedIn, sampledIn int
	// rejectedBefore is the last life before rejectedIn in which it was not sampled; 0 is none.
	rejectedBefore int
	// mustBeSampled means that a span with an error came while the trace was revivable.
	mustBeSampled bool
	poisoned      bool // some destinations refuse it permanently
	// torn means that a power cut may have lost a decision on it, so that it may be decided in parts.
	torn bool
}

// span is a span of a trace. Its body is a function of its number.
type span struct {
	trace   *trace
	id      [8]byte
	service string
	name    string
	root    bool
	failed  bool
	padding int // bytes
	started time.Time
	took    time.Duration
	body    uint64 // a hash of its body

	acked bool // its sender got the answer that it was accepted
	life  int  // the first life with that
	safe  bool // and no power cut can lose it
	given int  // number of its requests that may have been accepted
}

// request is a group of spans that are sent together, until they are answered.
type request struct {
	number int
	body   []byte
	spans  []*span
	acked  bool
	// times is how often it was accepted, or may have been.
	times int
	// tried is the first minute in which it may have been accepted, and counted the last in which it may be counted: 0 until it
	// is in the database.
	tried, counted due.Minute
	// died means that the gateway ended during the request.
	died bool
}

// String returns the beginnings of the spans' IDs, and of their traces'.
func (r *request) String() (list string) {
	for _, s := range r.spans {
		list += fmt.Sprintf(" %x/%x", s.trace.id[:4], s.id[:4])
		if s.failed {
			list += "!"
		}
	}
	return list
}

// services of the simulated shop. The first has objectives.
var services = []string{"checkout", "payment", "search", "cart"}

func newTrace(rng *rand.Rand, now time.Time, padded, failing int) *trace {
	t := &trace{}
	binary.BigEndian.PutUint64(t.id[:8], rng.Uint64())
	binary.BigEndian.PutUint64(t.id[8:], rng.Uint64())
	n := 1 + rng.IntN(6)
	root := rng.IntN(n + n/3 + 1) // sometimes none
	for i := range n {
		s := &span{trace: t, root: i == root, failed: rng.IntN(failing) == 0, service: services[rng.IntN(len(services))]}
		binary.BigEndian.PutUint64(s.id[:], rng.Uint64()|1)
		s.name = fmt.Sprintf("operation-%d", rng.IntN(4))
		s.padding = rng.IntN(1 + padded)
		s.started, s.took = now.Add(-time.Duration(rng.IntN(2000))*time.Millisecond), time.Duration(rng.IntN(1500))*time.Millisecond
		t.spans = append(t.spans, s)
	}
	return t
}

// encode returns the body of a request.
func encode(spans []*span) []byte {
	td := ptrace.NewTraces()
	for _, s := range spans {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", s.service)
		p := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		p.SetTraceID(s.trace.id)
		p.SetSpanID(s.id)
		if !s.root {
			p.SetParentSpanID([8]byte{1})
		}
		p.SetName(s.name)
		p.SetKind(ptrace.SpanKindServer)
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(s.started))
		p.SetEndTimestamp(pcommon.NewTimestampFromTime(s.started.Add(s.took)))
		if s.failed {
			p.Status().SetCode(ptrace.StatusCodeError)
		}
		if s.padding > 0 {
			p.Attributes().PutEmptyBytes("padding").Append(make([]byte, s.padding)...)
		}
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	if err != nil {
		panic(err) // our own request
	}
	return b
}
