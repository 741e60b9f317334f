package inplace_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/inplace"
)

var factories = map[string]processor.Factory{
	"attributes": inplace.NewAttributesFactory(), "resource": inplace.NewResourceFactory(), "filter": inplace.NewFilterFactory(),
}

// configs are the processors' configurations. Those without a reason work on wire bytes.
var configs = []struct{ name, typ, yaml, reason string }{
	{"upsert", "attributes", `actions: [{key: a, value: new, action: upsert}]`, ""},
	{"each action", "attributes", `actions: [{key: a, value: 1, action: insert}, {key: b, value: 2.5, action: update}, {key: c, value: true, action: upsert}, {key: d, action: delete}]`, ""},
	{"one after the other", "attributes", `actions: [{key: a, action: delete}, {key: a, value: x, action: insert}, {key: a, action: DELETE}, {key: b, action: delete}, {key: c, value: y, action: update}, {key: a, value: z, action: upsert}]`, ""},
	{"lists and maps", "attributes", `actions: [{key: a, value: [1, two, 3.5], action: upsert}, {key: b, value: {c: [d]}, action: insert}]`, ""},
	{"a default", "attributes", `actions: [{key: a, default_value: x, action: insert}]`, ""},
	{"long", "attributes", `actions: [{key: a, value: ` + fmt.Sprintf("%0200d", 0) + `x, action: upsert}]`, ""},
	{"an empty value", "attributes", `actions: [{key: a, value: "", action: upsert}]`, ""},
	{"delete twice", "attributes", `actions: [{key: a, action: delete}, {key: a, action: delete}, {key: b, action: delete}]`, ""},
	{"from an attribute", "attributes", `actions: [{key: a, from_attribute: b, action: upsert}]`, "actions[0]: from_attribute is read from decoded spans"},
	{"from the context", "attributes", `actions: [{key: a, from_context: b, action: upsert}]`, "actions[0]: from_context is"},
	{"a hash", "attributes", `actions: [{key: a, value: b, action: insert}, {key: a, action: hash}]`, "actions[1]: action hash is done on decoded spans"},
	{"a pattern", "attributes", `actions: [{pattern: "^a", action: delete}]`, "actions[0]: pattern is matched on decoded spans"},
	{"include", "attributes", `{include: {match_type: strict, services: [shop]}, actions: [{key: a, value: b, action: insert}]}`, "include and exclude"},
	{"of a resource", "resource", `attributes: [{key: service.name, value: new, action: upsert}, {key: a, action: delete}, {key: b, value: 7, action: insert}]`, ""},
	{"of a resource, convert", "resource", `attributes: [{key: a, action: convert, converted_type: int}]`, "attributes[0]: action convert is done on decoded spans"},
	{"by name", "filter", `traces: {span: ['name == "one"', 'kind == SPAN_KIND_SERVER and attributes["a"] == "x"']}`, ""},
	{"by resource", "filter", `traces: {span: ['resource.attributes["service.name"] == "shop"', 'attributes["b"] == 3']}`, ""},
	{"all", "filter", `traces: {span: ['true']}`, ""},
	{"none", "filter", `traces: {span: ['name == "nothing like it"']}`, ""},
	{"what cannot be evaluated", "filter", `traces: {span: ['Substring(attributes["a"], 0, 3) == "abc"', 'status.code == STATUS_CODE_ERROR']}`, ""},
	{"events", "filter", `traces: {spanevent: ['name == "e"']}`, "traces::spanevent is answered on decoded spans"},
	{"resources", "filter", `traces: {resource: ['attributes["a"] == "x"']}`, "traces::resource is answered on decoded spans"},
	{"propagate", "filter", `{error_mode: propagate, traces: {span: ['name == "one"']}}`, "error_mode: propagate is answered on decoded spans"},
	{"inferred contexts", "filter", `trace_conditions: ['span.name == "one"', 'resource.attributes["service.name"] == "shop"', 'span.attributes["a"] == "x" and resource.attributes["a"] == nil']`, ""},
	{"a scope", "filter", `trace_conditions: ['scope.name == "lib"']`, ""},
	{"sections", "filter", `trace_conditions: [{context: span, conditions: ['name == "one"']}, {conditions: ['span.kind == SPAN_KIND_SERVER'], error_mode: silent}]`, ""},
	{"inferred events", "filter", `trace_conditions: ['spanevent.name == "e"']`, "its conditions are not all on spans"},
	{"a section of resources", "filter", `trace_conditions: [{context: resource, conditions: ['attributes["a"] == "x"']}]`, "trace_conditions[0]: context: resource is answered on decoded spans"},
	{"a section that propagates", "filter", `trace_conditions: [{context: span, conditions: ['name == "one"'], error_mode: propagate}]`, "trace_conditions[0]: error_mode: propagate"},
	{"metrics alone", "filter", `metrics: {metric: ['name == "one"']}`, "it has neither trace_conditions nor traces::span"},
}

// TestAsContrib checks that random requests have the same result in both forms: as wire bytes, and decoded, by contrib's own code.
func TestAsContrib(t *testing.T) {
	for _, tt := range configs {
		t.Run(tt.typ+" "+tt.name, func(t *testing.T) {
			reason, known := inplace.Reason(tt.typ, section(t, tt.yaml))
			require.True(t, known)
			if tt.reason != "" {
				require.Contains(t, reason, tt.reason)
				return
			}
			require.Empty(t, reason)
			onBytes, decoded := start(t, tt.typ, tt.yaml), start(t, tt.typ, tt.yaml)
			for seed := range uint64(300) {
				td := random(rand.New(rand.NewPCG(seed, 1)))
				body := marshal(t, td)
				var r wire.Request
				_, err := r.Accept(body, 1<<20)
				require.NoError(t, err)

				ctx := wire.NewContext(t.Context(), &r)
				onBytes.reset()
				require.NoError(t, onBytes.ConsumeTraces(ctx, ptrace.NewTraces()))
				require.True(t, wire.Taken(ctx))
				decoded.reset()
				require.NoError(t, decoded.ConsumeTraces(t.Context(), td))
				require.Equal(t, text(decoded.got), text(onBytes.got), "seed %d", seed)
				require.Equal(t, body, marshal(t, random(rand.New(rand.NewPCG(seed, 1)))), "what came is not written on")
			}
			assert.Equal(t, decoded.counts(t), onBytes.counts(t), "the metrics of both are the same")
		})
	}
}

// TestNotTaken checks that wire bytes that the processor cannot read are sent again decoded, and are not passed on unread.
func TestNotTaken(t *testing.T) {
	p := start(t, "attributes", `actions: [{key: a, action: hash}]`)
	var r wire.Request
	require.NoError(t, r.Scan(marshal(t, some())))
	ctx := wire.NewContext(t.Context(), &r)
	require.NoError(t, p.ConsumeTraces(ctx, ptrace.NewTraces()))
	assert.False(t, wire.Taken(ctx))
	assert.Zero(t, p.calls)
}

// TestNextRefuses checks that the next component's error is the answer, and that the processor then does not take the spans, nor
// if the next component takes none.
func TestNextRefuses(t *testing.T) {
	p := start(t, "attributes", `actions: [{key: a, value: x, action: upsert}]`)
	var r wire.Request
	require.NoError(t, r.Scan(marshal(t, some())))
	p.err = assert.AnError
	ctx := wire.NewContext(t.Context(), &r)
	require.ErrorIs(t, p.ConsumeTraces(ctx, ptrace.NewTraces()), assert.AnError)
	p.err, p.blind = nil, true
	require.NoError(t, p.ConsumeTraces(ctx, ptrace.NewTraces()))
	assert.False(t, wire.Taken(ctx), "nobody behind it looked at the spans")
}

// TestMemoryIsHeld checks that memory for the written request is reserved first, and that a lack of it is the answer.
func TestMemoryIsHeld(t *testing.T) {
	p := start(t, "attributes", `actions: [{key: a, value: x, action: upsert}]`)
	body := marshal(t, some())
	var r wire.Request
	require.NoError(t, r.Scan(body))
	held := int64(0)
	ctx := wire.NewLimitedContext(t.Context(), &r, func(bytes int64) error { held += bytes; return nil })
	require.NoError(t, p.ConsumeTraces(ctx, ptrace.NewTraces()))
	assert.GreaterOrEqual(t, held, p.size, "as much as the request that came out has")
	full := wire.NewLimitedContext(t.Context(), &r, func(int64) error { return assert.AnError })
	p.reset()
	require.ErrorIs(t, p.ConsumeTraces(full, ptrace.NewTraces()), assert.AnError)
	assert.Zero(t, p.calls)
}

func TestOtherTypesAreUnknown(t *testing.T) {
	_, known := inplace.Reason("transform", nil)
	assert.False(t, known)
	reason, known := inplace.Reason("attributes", map[string]any{"actions": 7})
	assert.True(t, known)
	assert.Equal(t, "its configuration is not valid", reason)
	reason, _ = inplace.Reason("attributes", nil)
	assert.Equal(t, "actions is empty", reason)
}

// started is a processor with its latest output.
type started struct {
	processor.Traces
	tel   *componenttest.Telemetry
	got   ptrace.Traces
	size  int64
	calls int
	err   error
	blind bool // it ignores wire bytes
}

func start(t *testing.T, typ, yaml string) *started {
	s := &started{tel: componenttest.NewTelemetry()}
	f := factories[typ]
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(section(t, yaml)).Unmarshal(cfg))
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		s.calls++
		if s.err != nil || s.blind {
			return s.err
		}
		r, release, err := wire.Of(ctx, td)
		require.NoError(t, err)
		defer release()
		s.size = int64(len(r.Bytes))
		if td.ResourceSpans().Len() == 0 && len(r.Spans) > 0 {
			requireScanned(t, r)
		}
		var u ptrace.ProtoUnmarshaler
		s.got, err = u.UnmarshalTraces(r.Bytes)
		return err
	})
	require.NoError(t, err)
	set := processortest.NewNopSettings(component.MustNewType(typ))
	set.TelemetrySettings = s.tel.NewTelemetrySettings()
	s.Traces, err = f.CreateTraces(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s
}

// requireScanned checks that a request equals a Scan of its bytes.
func requireScanned(t *testing.T, r *wire.Request) {
	var again wire.Request
	_, err := again.Accept(r.Bytes, 1<<20)
	require.NoError(t, err)
	require.Equal(t, again.Resources, r.Resources)
	require.Equal(t, again.Scopes, r.Scopes)
	require.Equal(t, again.Spans, r.Spans)
}

func (s *started) reset() { s.got, s.calls = ptrace.NewTraces(), 0 }

// counts returns the Collector's metrics of items, and contrib's of filtered ones.
func (s *started) counts(t *testing.T) map[string]int64 {
	counts := map[string]int64{}
	for _, name := range []string{"otelcol_processor_incoming_items", "otelcol_processor_outgoing_items", "otelcol_processor_filter_spans.filtered"} {
		m, err := s.tel.GetMetric(name)
		if err != nil {
			continue
		}
		for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
			counts[fmt.Sprint(name, point.Attributes.ToSlice(), m.Description, m.Unit)] += point.Value
		}
	}
	require.NotEmpty(t, counts)
	return counts
}

func section(t *testing.T, yaml string) map[string]any {
	r, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	return conf.ToStringMap()
}

func marshal(t *testing.T, td ptrace.Traces) []byte {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	return b
}

// text returns a request as text, without resources and scopes that have no spans.
func text(td ptrace.Traces) string {
	if td == (ptrace.Traces{}) {
		return ""
	}
	td.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool { return ss.Spans().Len() == 0 })
		return rs.ScopeSpans().Len() == 0
	})
	if td.SpanCount() == 0 {
		return ""
	}
	b, _ := new(ptrace.JSONMarshaler).MarshalTraces(td)
	return string(b)
}

// some returns a request with spans.
func some() ptrace.Traces {
	for seed := uint64(0); ; seed++ {
		if td := random(rand.New(rand.NewPCG(seed, 1))); td.SpanCount() > 1 {
			return td
		}
	}
}

// random returns a request with every field that spans can have, duplicate attributes included.
func random(rng *rand.Rand) ptrace.Traces {
	td := ptrace.NewTraces()
	pick := func(texts ...string) string { return texts[rng.IntN(len(texts))] }
	attributes := func(m pcommon.Map) {
		for range rng.IntN(6) {
			key := pick("a", "a", "b", "c", "d", "e", "service.name")
			kv := ptrace.NewTraces().ResourceSpans().AppendEmpty().Resource().Attributes()
			switch rng.IntN(7) {
			case 0:
				kv.PutStr(key, pick("x", "", "abcdef", "shop", string(make([]byte, 150))))
			case 1:
				kv.PutInt(key, int64(rng.IntN(5))-1)
			case 2:
				kv.PutDouble(key, rng.Float64())
			case 3:
				kv.PutBool(key, rng.IntN(2) == 0)
			case 4:
				kv.PutEmptySlice(key).AppendEmpty().SetStr("x")
			case 5:
				kv.PutEmptyMap(key).PutInt("y", 3)
			default:
				kv.PutEmpty(key)
			}
			v, _ := kv.Get(key)
			v.CopyTo(m.PutEmpty(key))
		}
	}
	for range rng.IntN(4) {
		rs := td.ResourceSpans().AppendEmpty()
		if rng.IntN(4) > 0 {
			rs.SetSchemaUrl("https://example.com/schema")
			rs.Resource().Attributes().PutStr("service.name", pick("shop", "cart"))
			rs.Resource().SetDroppedAttributesCount(uint32(rng.IntN(3)))
		}
		attributes(rs.Resource().Attributes())
		for range rng.IntN(3) {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName(pick("", "lib"))
			attributes(ss.Scope().Attributes())
			for range rng.IntN(5) {
				s := ss.Spans().AppendEmpty()
				s.SetTraceID(pcommon.TraceID{1, 15: byte(rng.IntN(255))})
				s.SetSpanID(pcommon.SpanID{1, 7: byte(rng.IntN(255))})
				s.SetName(pick("one", "two", "", string(make([]byte, 200))))
				s.TraceState().FromRaw(pick("", "ot=th:8", "a=b,ot=rv:1234"))
				s.SetKind(ptrace.SpanKind(rng.IntN(6)))
				s.SetFlags(rng.Uint32N(3))
				s.SetStartTimestamp(pcommon.Timestamp(rng.Uint64N(1000)))
				s.SetEndTimestamp(pcommon.Timestamp(rng.Uint64N(1000)))
				s.Status().SetCode(ptrace.StatusCode(rng.IntN(3)))
				attributes(s.Attributes())
				if rng.IntN(3) == 0 {
					attributes(s.Events().AppendEmpty().Attributes())
				}
				if rng.IntN(3) == 0 {
					s.Links().AppendEmpty().SetTraceID(pcommon.TraceID{3})
				}
			}
		}
	}
	return td
}
