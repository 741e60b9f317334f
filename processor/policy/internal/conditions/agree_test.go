package conditions

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspanevent"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// agreement is a condition and the result of OTTL's own context.
type agreement struct {
	own     *condition
	onSpan  *ottl.Condition[*ottlspan.TransformContext]
	onEvent *ottl.Condition[*ottlspanevent.TransformContext]
	// inPlace means that no span is decoded for it, unless it reads a list or map.
	inPlace bool
}

// agreements are the conditions of testdata/ottl: one per line, those that decode a span after "decoded:".
type agreements struct {
	list       []agreement
	attributes ask.Questions
	values     int
}

func newAgreements(tb testing.TB) (all agreements) {
	settings := componenttest.NewNopTelemetrySettings()
	functions := ottlfuncs.StandardConverters[*ottlspan.TransformContext]()
	functions["IsRootSpan"] = ottlfuncs.NewIsRootSpanFactory()
	onSpan, err := ottlspan.NewParser(functions, settings, ottlspan.EnablePathContextNames())
	require.NoError(tb, err)
	onEvent, err := ottlspanevent.NewParser(ottlfuncs.StandardConverters[*ottlspanevent.TransformContext](), settings,
		ottlspanevent.EnablePathContextNames())
	require.NoError(tb, err)
	questions := ask.NewBuilder(false)
	b := NewBuilder(questions, nil)
	for _, key := range []string{"span", "spanevent"} {
		content, err := os.ReadFile("testdata/ottl/" + key + ".txt")
		require.NoError(tb, err)
		for line := range strings.Lines(string(content)) {
			text, decoded := strings.CutPrefix(strings.TrimSpace(line), "decoded: ")
			if text == "" || text[0] == '#' {
				continue
			}
			own, err := b.parse(key, []string{text})
			require.NoError(tb, err, text)
			a := agreement{own: own[0], inPlace: !decoded}
			if key == "span" {
				a.onSpan, err = parseCondition(onSpan, key, settings, text)
			} else {
				a.onEvent, err = parseCondition(onEvent, key, settings, text)
			}
			require.NoError(tb, err, text)
			all.list = append(all.list, a)
		}
	}
	all.attributes, all.values = questions.Build(), questions.Values()
	return all
}

// tally counts the answers to a condition.
type tally struct{ held, not, failed int }

// agree compares the results for all spans and events of a request.
func agree(tb testing.TB, all agreements, request []byte, answers []tally) {
	var r wire.Request
	if r.Scan(request) != nil {
		return
	}
	export := ptraceotlp.NewExportRequest()
	require.NoError(tb, export.UnmarshalProto(request))
	var pool contextPool
	i := 0
	for _, rs := range export.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s := &r.Spans[i]
				view := rule.SpanView{Span: s, Bytes: request, Body: s.Body.Of(request),
					Resource: r.Resources[s.Resource].Body.Of(request), Scope: r.Scopes[s.Scope].Body.Of(request)}
				own := pool.get(&view, all.values)
				all.attributes.Observe([]uint64{0}, &view, own.Values())
				agreeOnSpan(tb, all, own, rs, ss, span, answers)
				pool.put(own)
				i++
			}
		}
	}
}

func agreeOnSpan(tb testing.TB, all agreements, own *Context, rs ptrace.ResourceSpans, ss ptrace.ScopeSpans, span ptrace.Span, answers []tally) {
	events := slices.Collect(wire.SpanEvents(own.view.Body))
	require.Len(tb, events, span.Events().Len())
	for i, a := range all.list {
		if a.onSpan != nil {
			t := ottlspan.NewTransformContext(rs, ss, span)
			want, wantErr := a.onSpan.Eval(tb.Context(), t)
			t.Close()
			agreeOn(tb, a, own, want, wantErr, &answers[i])
			continue
		}
		for j, event := range events {
			t := ottlspanevent.NewTransformContext(rs, ss, span, span.Events().At(j))
			want, wantErr := a.onEvent.Eval(tb.Context(), t)
			t.Close()
			own.toEvent(event, j)
			agreeOn(tb, a, own, want, wantErr, &answers[i])
		}
	}
}

func agreeOn(tb testing.TB, a agreement, own *Context, want bool, wantErr error, answers *tally) {
	for _, way := range []string{"first", "again"} { // which may be cached
		got, err := a.own.holds(own)
		require.Equal(tb, wantErr == nil, err == nil, "%s, %s: %v instead of %v", a.own.text, way, err, wantErr)
		require.Equal(tb, want, got, "%s, %s", a.own.text, way)
	}
	switch {
	case wantErr != nil:
		answers.failed++
	case want:
		answers.held++
	default:
		answers.not++
	}
}

func TestConditionsAgreeWithOTTL(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	all := newAgreements(t)
	answers := make([]tally, len(all.list))
	for range 300 {
		agree(t, all, randomRequest(t, rng), answers)
	}
	for i, a := range all.list {
		require.Greater(t, answers[i].held+answers[i].not+answers[i].failed, 300, a.own.text)
	}
}

func FuzzConditions(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 6))
	all := newAgreements(f)
	for range 5 {
		f.Add(randomRequest(f, rng))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		agree(t, all, request, make([]tally, len(all.list)))
	})
}

// randomRequest has spans with every field that conditions can read.
func randomRequest(tb testing.TB, rng *rand.Rand) []byte {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl(policytest.Pick(rng, "", "https://schema"))
	randomMap(tb, rng, rs.Resource().Attributes())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl(policytest.Pick(rng, "", "https://schema"))
	ss.Scope().SetName(policytest.Pick(rng, "", "lib", "other"))
	ss.Scope().SetVersion(policytest.Pick(rng, "", "1.0"))
	randomMap(tb, rng, ss.Scope().Attributes())
	for range 1 + rng.IntN(4) {
		span := ss.Spans().AppendEmpty()
		span.SetTraceID([16]byte{byte(rng.IntN(2))})
		span.SetSpanID([8]byte{byte(rng.IntN(2))})
		span.SetParentSpanID([8]byte{byte(rng.IntN(2))})
		span.SetName(policytest.Pick(rng, "", "GET /cart", "POST /pay", "x", "str"))
		span.SetKind(ptrace.SpanKind(rng.IntN(8)))
		span.Status().SetCode(ptrace.StatusCode(rng.IntN(4)))
		span.Status().SetMessage(policytest.Pick(rng, "", "timeout"))
		span.SetFlags(policytest.Pick[uint32](rng, 0, 1, 256, math.MaxUint32))
		span.TraceState().FromRaw(policytest.Pick(rng, "", "a=1", "a=1,b=2", "?"))
		start := policytest.Pick[uint64](rng, 0, 1_800_000_000_000_000_000, math.MaxUint64)
		span.SetStartTimestamp(pcommon.Timestamp(start))
		span.SetEndTimestamp(pcommon.Timestamp(start + rng.Uint64N(3e6)))
		span.SetDroppedAttributesCount(uint32(rng.IntN(2)))
		span.SetDroppedEventsCount(uint32(rng.IntN(2)))
		randomMap(tb, rng, span.Attributes())
		for range rng.IntN(3) {
			event := span.Events().AppendEmpty()
			event.SetName(policytest.Pick(rng, "", "exception", "log"))
			event.SetTimestamp(pcommon.Timestamp(start + rng.Uint64N(3e6)))
			event.SetDroppedAttributesCount(uint32(rng.IntN(2)))
			randomMap(tb, rng, event.Attributes())
		}
		for range rng.IntN(2) {
			span.Links().AppendEmpty().SetTraceID([16]byte{9})
		}
	}
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(tb, err)
	return withTwice(tb, rng, b)
}

// withTwice appends the fields of another span, attributes included, to some of the spans.
func withTwice(tb testing.TB, rng *rand.Rand, request []byte) []byte {
	var r wire.Request
	require.NoError(tb, r.Scan(request))
	var b wire.Builder
	b.Resource(wire.AppendResourceHeader(nil, r.Resources[0].Body.Of(request)))
	b.Scope(wire.AppendScopeHeader(nil, r.Scopes[0].Body.Of(request)))
	for _, s := range r.Spans {
		body := s.Body.Of(request)
		if rng.IntN(4) == 0 {
			body = slices.Concat(body, r.Spans[rng.IntN(len(r.Spans))].Body.Of(request))
		}
		b.Span(body)
	}
	return b.Bytes()
}

func randomMap(tb testing.TB, rng *rand.Rand, m pcommon.Map) {
	values := []any{
		nil, "", "x", "3", "12x", true, false, 3, 2, 0, -1, 2.5, 3.0, math.NaN(), []byte{1, 2}, []byte{}, []any{"x", 3}, []any{},
		map[string]any{"inner": "x"}, map[string]any{"inner": map[string]any{"deep": 1}}, strings.Repeat("long ", 60),
	}
	for _, key := range []string{"any", "other", "any"} {
		if rng.IntN(4) > 0 {
			require.NoError(tb, m.PutEmpty(key).FromRaw(policytest.Pick(rng, values...)))
		}
	}
	if rng.IntN(2) == 0 {
		m.PutStr("str", policytest.Pick(rng, "x", "any", ""))
		m.PutBool("bool", rng.IntN(2) == 0)
		m.PutStr("json", policytest.Pick(rng, `{"k":"v"}`, `{`))
		m.PutStr("service.name", policytest.Pick(rng, "shop", "cart"))
		m.PutStr("exception.type", policytest.Pick(rng, "ReadTimeout", "EOF"))
		m.PutStr(strings.Repeat("k", 200), "long key")
	}
}
