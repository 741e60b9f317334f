package count

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// limits are those of the default configuration.
var limits = Limits{Services: 200, Operations: 100, Versions: 20, Reasons: 30}

// TestCountAllocatesNothing: counting a known series allocates nothing.
func TestCountAllocatesNothing(t *testing.T) {
	requests, _ := benchRequests(t, "ot=th:c")
	objectives := benchObjectives(4, map[string]string{"http.route": "/api/v1/resource", "deployment.environment.name": "prod"})
	for i := range 5 {
		objectives = append(objectives, slo.Objective{Name: fmt.Sprint("pattern", i), Indicator: slo.Indicator{
			Type: slo.Availability, Spans: slo.SpanSelector{Where: patterns(i)}, Bad: match.Presets[1].Conditions, Exclude: []match.Condition{
				{Duration: &match.Span{Min: time.Minute}}, {RPC: &match.Text{Like: []string{"UN.*"}}, Operation: &match.Text{Like: []string{".*5"}}}},
		}})
	}
	c := New(limits, objectives, nil)
	count := func() {
		for _, r := range requests {
			c.Count(r, RequestID{}, 0)
		}
	}
	count()
	assert.Zero(t, testing.AllocsPerRun(10, count))
}

// fold folds all pending counts.
func fold(c *Counter) *tree {
	c.gate.Lock()
	defer c.gate.Unlock()
	c.foldAll()
	return c.tree
}

// countOf returns all events of a series, with an age or without.
func countOf(s *EventSeries) (sum Weight) {
	for c := range s.at.all {
		sum.add(c.n)
	}
	for a := range s.ages {
		sum.add(a.n)
	}
	return sum
}

func eventsOf(c *Counter) []*EventSeries { return fold(c).events }
func callsOf(c *Counter) []*CallSeries   { return fold(c).calls }

// countOne counts one span for one objective and returns the series of events that have any.
func countOne(t *testing.T, in slo.Indicator, s slitest.Span) map[string]int64 {
	c := New(limits, []slo.Objective{{Name: "o", Indicator: in}}, nil)
	c.Count(slitest.Request(t, slitest.Traces(t, s)), RequestID{}, 0)
	out := map[string]int64{}
	for _, e := range eventsOf(c) {
		n, _ := countOf(e).Integer()
		if n == 0 {
			continue
		}
		name := "total"
		if e.reason != nil {
			name = e.reason.label
		}
		out[name] = n
	}
	return out
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		name       string
		attributes map[string]any
		want       string
	}{
		{"none known", nil, "error"},
		{"error.type", map[string]any{"error.type": "java.net.ConnectException", "http.response.status_code": 503}, "java.net.ConnectException"},
		{"error.type as a number", map[string]any{"error.type": 503}, "503"},
		{"HTTP", map[string]any{"http.response.status_code": 503}, "503"},
		{"HTTP as text", map[string]any{"http.response.status_code": "503"}, "503"},
		{"HTTP before 1.20", map[string]any{"http.status_code": 502}, "502"},
		{"gRPC", map[string]any{"rpc.grpc.status_code": 14}, "UNAVAILABLE"},
		{"RPC", map[string]any{"rpc.response.status_code": "UNAVAILABLE", "rpc.grpc.status_code": 14}, "UNAVAILABLE"},
		{"empty", map[string]any{"error.type": ""}, "error"},
		{"as long as can be", map[string]any{"error.type": strings.Repeat("x", 64)}, strings.Repeat("x", 64)},
		{"a message rather than a type", map[string]any{"error.type": strings.Repeat("x", 65), "http.status_code": 500}, "500"},
		{"neither text nor number", map[string]any{"error.type": []any{"x"}}, "error"},
		{"the least number", map[string]any{"error.type": int64(-1 << 63)}, "-9223372036854775808"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := slitest.Span{Service: "a", Name: "b", Status: ptrace.StatusCodeError, Attributes: tt.attributes}
			got := countOne(t, slo.Indicator{Type: slo.Availability}, s)
			assert.Equal(t, map[string]int64{"total": 1, tt.want: 1}, got)
		})
	}
}

func TestLatency(t *testing.T) {
	in := slo.Indicator{Type: slo.Latency, Threshold: 300 * time.Millisecond}
	good, bad := map[string]int64{"total": 1}, map[string]int64{"total": 1, "latency": 1}
	for _, tt := range []struct {
		name     string
		duration time.Duration
		want     map[string]int64
	}{
		{"below", 299 * time.Millisecond, good},
		{"at the threshold", 300 * time.Millisecond, good},
		{"a nanosecond above", 300*time.Millisecond + 1, bad},
		{"nothing", 0, good},
		{"ends before it starts", -time.Hour, good},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := slitest.Span{Service: "a", Name: "b", Duration: tt.duration, Status: ptrace.StatusCodeError}
			assert.Equal(t, tt.want, countOne(t, in, s))
		})
	}
}

func TestSelectors(t *testing.T) {
	s := slitest.Span{Service: "checkout", Name: "POST /checkout", Kind: ptrace.SpanKindServer, Resource: map[string]any{"env": "prod", "zone": 7},
		Attributes: map[string]any{"http.route": "/checkout", "retry": true, "zone": 8}}
	for _, tt := range []struct {
		name string
		sel  slo.SpanSelector
		want bool
	}{
		{"everything", slo.SpanSelector{}, true},
		{"service", slo.SpanSelector{Service: "checkout"}, true},
		{"another service", slo.SpanSelector{Service: "cart"}, false},
		{"kind", slo.SpanSelector{Kind: "server"}, true},
		{"another kind", slo.SpanSelector{Kind: "client"}, false},
		{"one of the operations", slo.SpanSelector{Operations: []string{"GET /checkout", "POST /checkout"}}, true},
		{"another operation", slo.SpanSelector{Operations: []string{"GET /checkout"}}, false},
		{"attribute", slo.SpanSelector{Attributes: map[string]string{"http.route": "/checkout"}}, true},
		{"another value", slo.SpanSelector{Attributes: map[string]string{"http.route": "/cart"}}, false},
		{"of the resource", slo.SpanSelector{Attributes: map[string]string{"env": "prod"}}, true},
		{"not there", slo.SpanSelector{Attributes: map[string]string{"region": "eu"}}, false},
		{"not there is not empty", slo.SpanSelector{Attributes: map[string]string{"region": ""}}, false},
		{"not text", slo.SpanSelector{Attributes: map[string]string{"retry": "true"}}, true},
		{"the span's before the resource's", slo.SpanSelector{Attributes: map[string]string{"zone": "8"}}, true},
		{"hidden by the span's", slo.SpanSelector{Attributes: map[string]string{"zone": "7"}}, false},
		{"all must hold", slo.SpanSelector{Attributes: map[string]string{"env": "prod", "http.route": "/cart"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := countOne(t, slo.Indicator{Type: slo.Availability, Spans: tt.sel}, s)
			assert.Equal(t, tt.want, got["total"] == 1, got)
		})
	}
}

// TestServiceNames: the resource's service.name as text, and the SDKs' default name without one.
func TestServiceNames(t *testing.T) {
	for _, tt := range []struct {
		name string
		res  map[string]any
		want string
	}{
		{"none", nil, "unknown_service"},
		{"empty", map[string]any{"service.name": ""}, "unknown_service"},
		{"not text", map[string]any{"service.name": 42}, "42"},
		{"text", map[string]any{"service.name": "cart"}, "cart"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := New(limits, nil, nil)
			c.Count(slitest.Request(t, slitest.Traces(t, slitest.Span{Resource: tt.res, Name: "x"})), RequestID{}, 0)
			assert.NotNil(t, c.tree.services.get([]byte(tt.want)))
		})
	}
}

// TestOverflow checks which label a span without a slot overflows, each time, and that the default reasons need no slot.
func TestOverflow(t *testing.T) {
	c := New(Limits{Services: 1, Operations: 1, Versions: 1, Reasons: 1}, anything, nil)
	for _, step := range []struct {
		name string
		span slitest.Span
		want [NumLabels]int64
	}{
		{"the first of all", failing("a", "1", "x", "r"), [NumLabels]int64{}},
		{"again", failing("a", "1", "x", "r"), [NumLabels]int64{}},
		{"another version", failing("a", "2", "x", "r"), [NumLabels]int64{ServiceVersion: 1}},
		{"that version again", failing("a", "2", "x", "r"), [NumLabels]int64{ServiceVersion: 1}},
		{"another operation", failing("a", "1", "y", "r"), [NumLabels]int64{SpanName: 1}},
		{"another reason", failing("a", "1", "x", "s"), [NumLabels]int64{Reason: 1}},
		{"that reason again", failing("a", "1", "x", "s"), [NumLabels]int64{Reason: 1}},
		{"the usual reason", failing("a", "1", "x", "error"), [NumLabels]int64{}},
		{"the other usual reason", failing("a", "1", "x", "latency"), [NumLabels]int64{}},
		{"another service", failing("b", "1", "x", "r"), [NumLabels]int64{ServiceName: 1}},
		{"no event", slitest.Span{Service: "a", Version: "2", Name: "z"}, [NumLabels]int64{SpanName: 1, ServiceVersion: 1}},
	} {
		n := c.Count(slitest.Request(t, slitest.Traces(t, step.span)), RequestID{}, 0)
		assert.Equal(t, Result{Spans: 1, Overflow: step.want}, n, step.name)
	}
	for i := range c.stripes {
		assert.False(t, c.stripes[i].judge.Holds(), "nothing of a request is kept")
	}
}

// TestVersionNeedsAnEvent checks that a version needs a slot only if an objective selects one of its spans.
func TestVersionNeedsAnEvent(t *testing.T) {
	c := New(Limits{Services: 1, Operations: 1, Versions: 1, Reasons: 1},
		[]slo.Objective{{Name: "o", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Kind: "client"}}}}, nil)
	n := c.Count(slitest.Request(t, slitest.Traces(t, failing("a", "1", "x", "r"), failing("a", "2", "x", "r"))), RequestID{}, 0)
	assert.Equal(t, Result{Spans: 2}, n)
	assert.Empty(t, eventsOf(c))
}

// TestInvalidSpansAreNotCounted checks that spans with OTLP's invalid IDs are not counted.
func TestInvalidSpansAreNotCounted(t *testing.T) {
	c := New(limits, anything, nil)
	td := slitest.Traces(t, slitest.Span{Service: "a", Name: "x", Invalid: true}, slitest.Span{Service: "a", Name: "y"})
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().AppendEmpty().SetSpanID([8]byte{1})
	assert.Equal(t, Result{Spans: 1}, c.Count(slitest.Request(t, td), RequestID{}, 0))
	assert.Len(t, callsOf(c), 1)
	assert.Equal(t, "y", callsOf(c)[0].Operation())
}

// TestNumbersBeyondOTLP checks the labels of kinds and statuses that OTLP does not define.
func TestNumbersBeyondOTLP(t *testing.T) {
	for n, want := range map[int32]uint8{-1: 0, 0: 0, 5: 5, 6: 0, 1 << 30: 0} {
		assert.Equal(t, want, kindOf(n), n)
	}
	for n, want := range map[int32]uint8{-1: 0, 0: 0, 2: 2, 3: 0, 1 << 30: 0} {
		assert.Equal(t, want, statusOf(n), n)
	}
}

// TestSpansAreLookedUpSeparately checks that each span, and each resource, is looked up separately.
func TestSpansAreLookedUpSeparately(t *testing.T) {
	in := func(attributes map[string]string) slo.Indicator {
		return slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Attributes: attributes}}
	}
	gold, silver := map[string]any{"tier": "gold"}, map[string]any{"tier": "silver"}
	eu, us := map[string]any{"region": "eu"}, map[string]any{"region": "us"}
	var spans []slitest.Span
	for _, resource := range []map[string]any{eu, us, eu} {
		for _, attributes := range []map[string]any{gold, silver, gold, nil} {
			spans = append(spans, slitest.Span{Service: "a", Name: "x", Resource: resource, Attributes: attributes})
		}
	}
	c := New(limits, []slo.Objective{
		{Name: "gold", Indicator: in(map[string]string{"tier": "gold"})},
		{Name: "eu", Indicator: in(map[string]string{"region": "eu"})},
		{Name: "gold in us", Indicator: in(map[string]string{"tier": "gold", "region": "us"})},
		{Name: "gold too", Indicator: in(map[string]string{"tier": "gold"})},
	}, nil)
	keys, conditions, lists := c.stripes[0].judge.Size()
	assert.Equal(t, []int{2, 4, 1}, []int{keys, conditions, lists}, "each key, each condition, each list once")
	c.Count(slitest.Request(t, slitest.Traces(t, spans...)), RequestID{}, 0)
	got := map[string]int64{}
	for _, e := range eventsOf(c) {
		if _, bad := e.Reason(); !bad {
			got[e.Objective()], _ = countOf(e).Integer()
		}
	}
	assert.Equal(t, map[string]int64{"gold": 6, "eu": 8, "gold in us": 2, "gold too": 6}, got)
}
