//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// flavour is a kind of trace.
type flavour int

const (
	boring flavour = iota
	failing
	slow
)

var services = []string{"frontend", "cart", "checkout", "payment", "inventory"}

const spansPerTrace = 12

// traffic makes traces, with the same IDs for the same seed.
type traffic struct{ rng *rand.Rand }

func newTraffic(seed uint64) traffic { return traffic{rand.New(rand.NewPCG(seed, 7))} }

// trace makes a trace of 12 spans of five services, as one request per service, as SDKs send them.
func (g traffic) trace(f flavour, start time.Time) []ptrace.Traces {
	id := g.id()
	duration := 120 * time.Millisecond
	if f == slow {
		duration = 2 * time.Second
	}
	requests := make([]ptrace.Traces, len(services))
	scopes := make([]ptrace.SpanSlice, len(services))
	for i, service := range services {
		requests[i] = ptrace.NewTraces()
		scopes[i] = newScope(requests[i], service)
	}
	failed := g.rng.IntN(spansPerTrace)
	ids := make([]pcommon.SpanID, spansPerTrace)
	for i := range spansPerTrace {
		binary.BigEndian.PutUint64(ids[i][:], g.rng.Uint64()|1)
		span := scopes[i%len(services)].AppendEmpty()
		span.SetTraceID(id)
		span.SetSpanID(ids[i])
		if i > 0 {
			span.SetParentSpanID(ids[(i-1)/2])
		}
		g.fill(span, i, start, duration)
		if f == failing && i == failed {
			span.Status().SetCode(ptrace.StatusCodeError)
			span.Status().SetMessage("it broke")
		}
	}
	return requests
}

func (g traffic) id() (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[:8], g.rng.Uint64()|1)
	binary.BigEndian.PutUint64(id[8:], g.rng.Uint64())
	return id
}

func newScope(td ptrace.Traces, service string) ptrace.SpanSlice {
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.37.0")
	rs.Resource().Attributes().PutStr("service.name", service)
	rs.Resource().Attributes().PutStr("service.instance.id", service+"-1")
	rs.Resource().Attributes().PutStr("service.version", "1.2.3")
	rs.Resource().Attributes().PutStr("host.name", "host-"+service)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl("https://opentelemetry.io/schemas/1.36.0")
	ss.Scope().SetName("example.com/instrumentation/http")
	ss.Scope().SetVersion("0.62.0")
	return ss.Spans()
}

// fill fills a span as instrumentations do: eight attributes of the semantic conventions, and sometimes an event, a link, a trace state.
func (g traffic) fill(span ptrace.Span, i int, start time.Time, duration time.Duration) {
	span.SetName([]string{"POST /orders", "GET /items", "authorize"}[i%3])
	span.SetKind([]ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient, ptrace.SpanKindInternal}[i%3])
	span.SetFlags(0x101)
	begin := start.Add(time.Duration(i) * time.Millisecond)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(begin))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(duration - time.Duration(i)*time.Millisecond)))
	attrs := span.Attributes()
	attrs.PutStr("http.request.method", "POST")
	attrs.PutStr("url.path", fmt.Sprintf("/orders/%d", g.rng.IntN(100000)))
	attrs.PutStr("url.scheme", "https")
	attrs.PutInt("http.response.status_code", 200)
	attrs.PutStr("server.address", "shop.example.com")
	attrs.PutInt("server.port", 443)
	attrs.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")
	attrs.PutDouble("cart.value", g.rng.Float64()*100)
	if i%4 == 0 {
		event := span.Events().AppendEmpty()
		event.SetName("cache miss")
		event.SetTimestamp(pcommon.NewTimestampFromTime(begin))
		event.Attributes().PutBool("cold", true)
		link := span.Links().AppendEmpty()
		link.SetTraceID(pcommon.TraceID{1, 2, 3, byte(i)})
		link.SetSpanID(pcommon.SpanID{4, 5, 6})
		link.TraceState().FromRaw("vendor=x")
		span.TraceState().FromRaw("vendor=abc")
	}
}

// content renders every span of the traces, sorted, by trace: traces with equal content are equal. It leaves out the gateway's additions
// to kept spans.
func content(t *testing.T, all ...ptrace.Traces) map[pcommon.TraceID][]string {
	t.Helper()
	byTrace := map[pcommon.TraceID][]string{}
	for _, td := range all {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					byTrace[span.TraceID()] = append(byTrace[span.TraceID()], render(t, rs, ss, span))
				}
			}
		}
	}
	for _, spans := range byTrace {
		sort.Strings(spans)
	}
	return byTrace
}

func render(t *testing.T, rs ptrace.ResourceSpans, ss ptrace.ScopeSpans, span ptrace.Span) string {
	t.Helper()
	one := ptrace.NewTraces()
	r := one.ResourceSpans().AppendEmpty()
	rs.Resource().CopyTo(r.Resource())
	r.SetSchemaUrl(rs.SchemaUrl())
	s := r.ScopeSpans().AppendEmpty()
	ss.Scope().CopyTo(s.Scope())
	s.SetSchemaUrl(ss.SchemaUrl())
	copied := s.Spans().AppendEmpty()
	span.CopyTo(copied)
	for _, attributes := range []pcommon.Map{s.Scope().Attributes(), copied.Attributes()} {
		attributes.RemoveIf(func(key string, _ pcommon.Value) bool {
			return strings.HasPrefix(key, "tailsampling.") || strings.HasPrefix(key, "slowburn.")
		})
	}
	copied.TraceState().FromRaw(strings.Join(slices.DeleteFunc(strings.Split(span.TraceState().AsRaw(), ","),
		func(member string) bool { return strings.HasPrefix(member, "ot=") }), ","))
	body, err := new(ptrace.JSONMarshaler).MarshalTraces(one)
	require.NoError(t, err)
	return string(body)
}

// mark returns the value of an attribute that the gateway adds to every scope of a trace, by trace.
func mark(t *testing.T, td ptrace.Traces, key string) map[pcommon.TraceID]string {
	t.Helper()
	values := map[pcommon.TraceID]string{}
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			value, ok := ss.Scope().Attributes().Get(key)
			for _, span := range ss.Spans().All() {
				require.True(t, ok, "the scope of the span %s has no %s", span.SpanID(), key)
				if before, seen := values[span.TraceID()]; seen {
					require.Equal(t, before, value.AsString(), "trace %s", span.TraceID())
				}
				values[span.TraceID()] = value.AsString()
			}
		}
	}
	return values
}
