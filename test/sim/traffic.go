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

// trace is one of the simulation's, and what is known of it.
type trace struct {
	id    [16]byte
	spans []*span
	next  int // of spans, that is sent next

	decided int  // decisions that were written down
	sampled bool // one of them samples it
	// erred says that a span with an error was acknowledged before the first decision.
	erred bool
	// threshold is that of the decision that sampled it.
	threshold uint64
	// noted is how many events there were when its last decision was put into a journal, and upTo where the spans end that it is about.
	noted     int
	upTo      spanlog.Position
	decidedAt time.Duration
	decidedIn int // which life
	// rejectedIn is in which life it was not sampled last, and sampledIn in which it was sampled first; 0 is in none.
	rejectedIn, sampledIn int
	// rejectedBefore is in which life, before rejectedIn, it was not sampled last; 0 is in none.
	rejectedBefore int
	// mustBeSampled says that a span with an error came while the trace could be revived.
	mustBeSampled bool
	poisoned      bool // some destinations refuse it for good
	// torn says that a decision about it may have been forgotten by a power cut, so that it may be decided in parts.
	torn bool
}

// span is one of a trace. Its body is a function of its number.
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
	body    uint64 // a hash of what it was sent as

	acked bool // somebody was told that it was taken
	life  int  // in which that was first
	safe  bool // and no power cut can take it back
	given int  // requests that it was in, and that may have been taken
}

// request is spans that are sent together, until they are answered.
type request struct {
	number int
	body   []byte
	spans  []*span
	acked  bool
	// times is how often it was taken, or may have been.
	times int
	// tried is when it may have been taken first, and counted the last minute that it may be counted for: 0 until it is in the database.
	tried, counted due.Minute
	// died says that the gateway ended while it had the request.
	died bool
}

// String is the beginnings of the spans' IDs, and those of their traces.
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
	root := rng.IntN(n + n/3 + 1) // sometimes there is none
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

// encode makes the body of a request.
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
		panic(err) // of what was just made
	}
	return b
}
