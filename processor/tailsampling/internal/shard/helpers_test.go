package shard

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// testSpan describes a test's span.
type testSpan struct {
	trace      byte
	root       bool
	failed     bool
	debug      bool // has the attribute that the policy debug matches
	start, end time.Duration
	rv         string // explicit randomness
	links      []byte // traces
	bytes      int    // of the body; 0 is as needed
}

// idOf returns the ID of a test's n-th trace. Its randomness passes the threshold of a probabilistic policy from trace 200 on.
func idOf(n byte) (id wire.TraceID) {
	id[0], id[15] = n, n
	if n >= 200 {
		id[9] = 0xff
	}
	return id
}

// requestOf is an OTLP request of spans, scanned.
func requestOf(t testing.TB, spans ...testSpan) *wire.Request {
	td := ptrace.NewTraces()
	list := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i, s := range spans {
		s.put(t, list.AppendEmpty(), i)
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	r := new(wire.Request)
	require.NoError(t, r.Scan(b))
	return r
}

func (s testSpan) put(t testing.TB, span ptrace.Span, i int) {
	span.SetTraceID(pcommon.TraceID(idOf(s.trace)))
	span.SetSpanID(pcommon.SpanID{byte(i + 1)})
	if !s.root {
		span.SetParentSpanID(pcommon.SpanID{0xff})
	}
	if s.failed {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	if s.debug {
		span.Attributes().PutStr("debug", "yes")
	}
	span.SetStartTimestamp(pcommon.Timestamp(s.start))
	span.SetEndTimestamp(pcommon.Timestamp(s.end))
	if s.rv != "" {
		span.TraceState().FromRaw("ot=rv:" + s.rv)
	}
	for _, other := range s.links {
		span.Links().AppendEmpty().SetTraceID(pcommon.TraceID(idOf(other)))
	}
	if s.bytes > 0 {
		var m ptrace.ProtoMarshaler
		for m.SpanSize(span) < s.bytes {
			span.SetName(strings.Repeat("x", len(span.Name())+max(1, s.bytes-m.SpanSize(span)-8)))
		}
		require.Equal(t, s.bytes, m.SpanSize(span), "no span can have so many bytes")
	}
}

// add visits the shard with a request, as buffer.Buffer does.
func add(s *Shard, r *wire.Request, v *version.Version, now clock.Monotonic) {
	var in intake.Request
	in.Prepare(r, v, s.shared.Seed, 1)
	for _, spans := range in.ByShard {
		for _, i := range spans {
			s.Add(&in, i, now)
		}
	}
	s.Review(now)
	s.DecideOverCount(now)
	if len(s.touched) > 0 {
		panic("what was reviewed is reviewed again")
	}
}

func ptr[T any](v T) *T { return &v }

// policies are those that tests choose by name.
var policies = map[string]policy.Config{
	"all":    {Name: "all", Type: policy.AlwaysSample},
	"errors": {Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
	"slow":   {Name: "slow", Type: policy.Latency, Section: &policy.LatencyConfig{ThresholdMs: ptr(int64(1000))}},
	"half":   {Name: "half", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 50}},
	"few":    {Name: "few", Type: policy.SpanCount, Section: &policy.SpanCountConfig{MinSpans: 3}},
	"rare":   {Name: "rare", Type: "rate_limiting", Rest: map[string]any{"rate_limiting": map[string]any{"spans_per_second": 1}}},
	"debug": {Name: "debug", Type: policy.Drop, Section: &policy.DropConfig{SubPolicies: []policy.Config{
		{Type: policy.StringAttribute, Section: &policy.StringAttributeConfig{Key: "debug", Values: []string{"yes"}}},
	}}},
	"orphans": {Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{Min: 2}},
}

// compile compiles policies by their names, separated by commas; nil for none.
func compile(t testing.TB, names string) *policy.Set {
	if names == "" {
		return nil
	}
	var list []policy.Config
	for name := range strings.SplitSeq(names, ",") {
		cfg, known := policies[name]
		require.True(t, known, "no policy %q", name)
		list = append(list, cfg)
	}
	set, err := policy.Compile(list, policy.Options{})
	require.NoError(t, err)
	return set
}

// traceName returns the number of a test's trace.
func traceName(id wire.TraceID) string {
	return fmt.Sprintf("t%d", binary.BigEndian.Uint64(id[:8])>>56)
}
