package intake

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

var seed = index.Seed{1, 2}

// newVersion samples traces of the service wanted; with wide the policies need a further word of bits.
func newVersion(t testing.TB, names *version.Names, policies int) *version.Version {
	t.Helper()
	var list []policy.Config
	for i := range policies {
		list = append(list, policy.Config{Name: fmt.Sprint(i), Type: policy.StringAttribute, Section: &policy.StringAttributeConfig{
			Key: "service.name", Values: []string{fmt.Sprintf("service-%d", i)},
		}})
	}
	set, err := policy.Compile(list, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(1, set, nil, names)
	require.NoError(t, err)
	return v
}

// requestOf is a request with two scopes in each of these resources, and two spans in each scope.
func requestOf(t testing.TB, services ...int) *wire.Request {
	td := ptrace.NewTraces()
	n := byte(0)
	for _, service := range services {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%d", service))
		for scope := range 2 {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName(fmt.Sprintf("scope-%d-%d", service, scope))
			for range 2 {
				n++
				span := ss.Spans().AppendEmpty()
				span.SetTraceID(pcommon.TraceID{n})
				span.SetSpanID(pcommon.SpanID{n})
				span.SetName(strings.Repeat("n", int(n)))
			}
		}
	}
	return scan(t, td)
}

func scan(t testing.TB, td ptrace.Traces) *wire.Request {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	r := new(wire.Request)
	require.NoError(t, r.Scan(b))
	return r
}

// Each shard gets its own spans, in their order; those without a trace ID are left out.
func TestSpansAreSortedByShard(t *testing.T) {
	v := newVersion(t, version.NewNames(), 1)
	var in Request
	for _, shards := range []int{1, 2, 7, 64} {
		r := requestOf(t, 1, 2, 3, 4, 5)
		r.Spans[3].TraceID, r.Spans[19].TraceID = wire.TraceID{}, wire.TraceID{}
		require.Equal(t, 2, in.Prepare(r, v, seed, shards))
		seen, last := map[uint32]bool{}, -1
		for shard, spans := range in.ByShard {
			require.Greater(t, shard, last)
			last = shard
			require.NotEmpty(t, spans)
			require.IsIncreasing(t, append([]uint32{}, spans...))
			for _, i := range spans {
				require.False(t, seen[i])
				seen[i] = true
				hash := seed.Hash(r.Spans[i].TraceID)
				require.Equal(t, shard, index.ShardOf(hash, shards))
				require.Equal(t, uint32(hash), in.Hash(i))
				require.Same(t, &r.Spans[i], in.Span(i))
			}
		}
		require.Len(t, seen, 18)
		require.False(t, seen[3])
	}
	in.Prepare(requestOf(t, 1, 2, 3), v, seed, 64)
	calls := 0
	for range in.ByShard {
		calls++
		break
	}
	require.Equal(t, 1, calls)
}

// A span gets the shared values of its own resource and scope.
func TestSpansHaveTheirResourceAndScope(t *testing.T) {
	names := version.NewNames()
	v, other := newVersion(t, names, 70), newVersion(t, names, 3)
	var in Request
	for _, services := range [][]int{{3, 1, 68, 500}, {2}, {69, 3}} {
		r := requestOf(t, services...)
		in.Prepare(r, v, seed, 4)
		for i := range r.Spans {
			s := in.Span(uint32(i))
			service := services[i/4]
			view, known := in.View(s, v)
			require.Same(t, s, view.Span)
			require.Equal(t, s.Body.Of(r.Bytes), view.Body)
			require.Equal(t, view.Body, in.Body(s))
			require.Equal(t, r.Bytes, view.Bytes)
			require.True(t, view.ResourceKnown)
			name, ok := wire.ResourceAttribute(view.Resource, "service.name")
			require.True(t, ok)
			require.Equal(t, fmt.Sprintf("service-%d", service), name.AsString())
			require.Equal(t, fmt.Sprintf("scope-%d-%d", service, i/2%2), string(wire.ScopeName(view.Scope)))
			want := make([]uint64, v.Words)
			v.ResourceBits(view.Resource, want)
			require.Equal(t, want, known)
			view, known = in.View(s, other)
			require.False(t, view.ResourceKnown)
			require.Nil(t, known)
			require.Same(t, in.Origin(s), in.Origin(in.Span(uint32(i/2*2))), "of the same scope")
		}
		require.NotSame(t, in.Origin(in.Span(0)), in.Origin(in.Span(2)))
		in.Release()
		require.Nil(t, in.wire)
		require.Nil(t, in.version)
		require.Zero(t, in.view)
	}
}

// The spans of each resource are counted, and those without any are left out.
func TestAmountsByResource(t *testing.T) {
	r := requestOf(t, 1, 2)
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().Resource().Attributes().PutStr("service.name", "empty")
	v := newVersion(t, version.NewNames(), 1)
	var in Request
	in.Prepare(r, v, seed, 1)
	for range 2 { // reading changes nothing
		var got []tally.Amount
		for resource, a := range in.ByResource {
			name, _ := wire.ResourceAttribute(resource, "service.name")
			require.Equal(t, fmt.Sprintf("service-%d", len(got)+1), name.AsString())
			got = append(got, a)
		}
		var first, second int64
		for i := range 4 {
			first += int64(r.Spans[i].Body.Len())
			second += int64(r.Spans[4+i].Body.Len())
		}
		require.Equal(t, []tally.Amount{{Spans: 4, Bytes: first}, {Spans: 4, Bytes: second}}, got)
	}
	for range in.ByResource {
		break
	}
	in.Prepare(scan(t, td), v, seed, 1)
	for range in.ByResource {
		t.Fatal("no spans")
	}
}

// Memory is reused, unless it is too much.
func TestScratchIsLimited(t *testing.T) {
	v := newVersion(t, version.NewNames(), 1)
	var in Request
	in.Prepare(requestOf(t, 1, 2, 3), v, seed, 1)
	r := requestOf(t, 1)
	require.Zero(t, testing.AllocsPerRun(10, func() { in.Prepare(r, v, seed, 1) }))

	in.order = make([]uint32, 0, maxSpans)
	in.headers = make([]byte, 0, maxHeaders)
	in.Prepare(r, v, seed, 1)
	require.Equal(t, maxSpans, cap(in.order))
	require.Equal(t, maxHeaders, cap(in.headers))
	in.order = make([]uint32, 0, maxSpans+1)
	in.Prepare(r, v, seed, 1)
	require.Less(t, cap(in.order), 100)
	require.Less(t, cap(in.headers), 1000)
	in.headers = make([]byte, 0, maxHeaders+1)
	in.Prepare(r, v, seed, 1)
	require.Less(t, cap(in.headers), 1000)
	require.Len(t, in.order, 4)
}

func TestResize(t *testing.T) {
	s := make([]int, 3, 5)
	s[2] = 7
	require.Equal(t, []int{0, 0, 7, 0, 0}, Resize(s, 5))
	require.Len(t, Resize(s, 0), 0)
	grown := Resize(s, 6)
	require.Len(t, grown, 6)
	require.Equal(t, 10, cap(grown))
	require.Equal(t, 20, cap(Resize(s, 20)))
}

// largeRequest has spans of some resources with many attributes, those that policies read last.
func largeRequest(t testing.TB, resources, attributes, spans int) *wire.Request {
	td := ptrace.NewTraces()
	for i := range resources {
		rs := td.ResourceSpans().AppendEmpty()
		for n := range attributes {
			rs.Resource().Attributes().PutStr(fmt.Sprint("k", n), "v")
		}
		rs.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%d", i))
		rs.Resource().Attributes().PutStr("region", fmt.Sprint("region", i))
		list := rs.ScopeSpans().AppendEmpty().Spans()
		for n := range spans {
			span := list.AppendEmpty()
			span.SetTraceID(pcommon.TraceID{byte(n), byte(n >> 8), byte(i)})
			span.SetSpanID(pcommon.SpanID{1})
			span.SetKind(ptrace.SpanKindServer)
			span.SetName(fmt.Sprint("GET /", n%20))
			span.Attributes().PutInt("n", int64(n))
		}
	}
	return scan(t, td)
}

// resourceReaders are policies that read resources of spans.
func resourceReaders(t testing.TB) *version.Version {
	t.Helper()
	var conf struct {
		Policies []policy.Config `mapstructure:"policies"`
	}
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"policies": []any{
		map[string]any{"name": "operations", "type": "diversity", "diversity": map[string]any{}},
		map[string]any{"name": "keys", "type": "dynamic", "dynamic": map[string]any{"sampling_percentage": 10, "key": []any{"region", "absent"}}},
		map[string]any{"name": "condition", "type": "ottl_condition", "ottl_condition": map[string]any{
			"span": []any{`resource.attributes["region"] == "region1" and span.attributes["n"] == 7`},
		}},
	}}).Unmarshal(&conf))
	set, err := policy.Compile(conf.Policies, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(1, set, nil, version.NewNames())
	require.NoError(t, err)
	return v
}

// The policies' bits do not depend on whether resources are cached, even if spans of several alternate and the next request
// reuses the last one's memory.
func TestResourcesAreRemembered(t *testing.T) {
	v := resourceReaders(t)
	var in Request
	for _, resources := range []int{3, 2, 3} {
		r := largeRequest(t, resources, 100, 20)
		in.Prepare(r, v, seed, 4)
		for _, spans := range in.ByShard {
			for _, i := range spans {
				with, without := make([]uint64, v.Words), make([]uint64, v.Words)
				view, _ := in.View(in.Span(i), v)
				require.NotNil(t, view.Memo)
				value, found := view.ResourceAttribute("region")
				require.True(t, found)
				require.Equal(t, fmt.Sprint("region", r.Scopes[r.Spans[i].Scope].Resource), value.AsString())
				_, found = view.ResourceAttribute("absent")
				require.False(t, found)
				v.Observe(with, view)
				plain := *view
				plain.Memo = nil
				v.Observe(without, &plain)
				require.Equal(t, without, with)
			}
		}
		in.Release()
	}
}

// BenchmarkLargeResource observes spans of a resource of 10,000 attributes, 190 KB, and reports per span.
func BenchmarkLargeResource(b *testing.B) {
	for _, attributes := range []int{10, 10_000} {
		for _, remember := range []bool{false, true} {
			b.Run(fmt.Sprintf("attributes=%d/remembered=%t", attributes, remember), func(b *testing.B) {
				v, r := resourceReaders(b), largeRequest(b, 1, attributes, 1000)
				var in Request
				in.Prepare(r, v, seed, 1)
				bits := make([]uint64, v.Words)
				b.ReportAllocs()
				i := uint32(0)
				for b.Loop() {
					clear(bits)
					view, _ := in.View(in.Span(i%1000), v)
					if !remember {
						view.Memo = nil
					}
					v.Observe(bits, view)
					i++
				}
			})
		}
	}
}
