package policy

import (
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// shippedLike are typical policies: errors, slow, an attribute or two, a share of the rest, no probes.
func shippedLike() []Config {
	return []Config{
		{Name: "errors", Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "slow", Type: Latency, Section: &LatencyConfig{ThresholdMs: new(int64(500))}},
		{Name: "server errors", Type: NumericAttribute,
			Section: &NumericAttributeConfig{Key: "http.response.status_code", MinValue: new(int64(500))}},
		{Name: "forced", Type: BooleanAttribute, Section: &BooleanAttributeConfig{Key: "app.force", Value: true}},
		{Name: "rest", Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 5}},
		{Name: "probes", Type: Drop, Section: &DropConfig{SubPolicies: []Config{
			{Type: StringAttribute, Section: &StringAttributeConfig{
				Key: "url.path", Values: []string{"^/healthz", "^/readyz"}, EnabledRegexMatching: true,
			}},
		}}},
	}
}

// twenty are policies of every type that contrib has, with limits.
func twenty() []Config {
	policies := shippedLike()
	for _, key := range []string{"tenant", "region", "user.plan", "feature", "canary"} {
		policies = append(policies, stringIs(key, key, "a", "b"))
	}
	failed := Config{Name: "failed", Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}}
	limit := Config{Name: "limit", Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: 1000}}
	return append(policies,
		Config{Name: "large", Type: SpanCount, Section: &SpanCountConfig{MinSpans: 100}},
		Config{Name: "flagged", Type: TraceFlags},
		Config{Name: "vendor", Type: TraceState, Section: &TraceStateConfig{Key: "vendor", Values: []string{"a"}}},
		Config{Name: "slow errors", Type: And, Section: &AndConfig{SubPolicies: []Config{failed, {
			Type: Not, Section: &NotConfig{SubPolicy: Config{Type: Latency, Section: &LatencyConfig{ThresholdMs: new(int64(100))}}},
		}}}},
		Config{Name: "some errors", Type: And, Section: &AndConfig{SubPolicies: []Config{failed, limit}}},
		limit,
		Config{Name: "bytes", Type: BytesLimiting, Section: &BytesLimitingConfig{BytesPerSecond: 100_000}},
		Config{Name: "mix", Type: Composite, Section: &CompositeConfig{MaxTotalSpansPerSecond: 1000, SubPolicies: []Config{
			failed, stringIs("us", "region", "us"), {Name: "all", Type: AlwaysSample},
		}}},
		Config{Name: "quick", Type: Latency, Section: &LatencyConfig{ThresholdMs: new(int64(1)), UpperThresholdMs: new(int64(5))}},
	)
}

// mixed are twenty typical policies, none of which matches a typical span: ten on attributes that it has with other values or
// lacks, two with expressions, two in OTTL, and those on traces. bench/configs/policies-20.yaml has similar ones.
func mixed() []Config {
	number := func(key string, least int64) Config {
		return Config{Name: key, Type: NumericAttribute, Section: &NumericAttributeConfig{Key: key, MinValue: &least}}
	}
	boolean := func(key string) Config {
		return Config{Name: key, Type: BooleanAttribute, Section: &BooleanAttributeConfig{Key: key, Value: true}}
	}
	expression := func(key string, values ...string) Config {
		return Config{Name: key, Type: StringAttribute,
			Section: &StringAttributeConfig{Key: key, Values: values, EnabledRegexMatching: true}}
	}
	condition := func(name, text string) Config {
		return Config{Name: name, Type: OTTLCondition, Section: &OTTLConditionConfig{Span: []string{text}}}
	}
	limited := func(name string, limit Config) Config {
		return Config{Name: name, Type: And, Section: &AndConfig{SubPolicies: []Config{boolean("app." + name), limit}}}
	}
	latency := func(ms int64) Config {
		return Config{Name: "slow", Type: Latency, Section: &LatencyConfig{ThresholdMs: &ms}}
	}
	return []Config{
		{Name: "errors", Type: StatusCode, Section: &StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "rest", Type: Probabilistic, Section: &ProbabilisticConfig{SamplingPercentage: 1}},
		latency(1000),
		stringIs("method", "http.request.method", "CONNECT", "TRACE"),
		stringIs("scheme", "url.scheme", "ftp", "ws", "wss"),
		stringIs("hosts", "server.address", "old.example.com", "older.shop.svc.cluster.local"),
		stringIs("version", "service.version", "1.2.1", "1.2.2"),
		number("http.response.status_code", 500), number("http.request.body.size", 1e6), number("server.port", 9000),
		stringIs("tenant", "app.tenant", "acme", "globex"), boolean("app.force"), boolean("app.canary"),
		expression("url.path", "^/healthz", "^/internal/[a-z]+/probe$"),
		expression("user_agent.original", "(?i)(bot|crawler|spider)/", "^kube-probe/"),
		condition("unavailable", `attributes["http.response.status_code"] == 503 and attributes["server.address"] != "shop.example.com"`),
		condition("deletions", `name == "DELETE /orders" and kind == SPAN_KIND_SERVER and status.code == STATUS_CODE_ERROR`),
		limited("partners", Config{Type: RateLimiting, Section: &RateLimitingConfig{SpansPerSecond: 100}}),
		limited("batch", Config{Type: BytesLimiting, Section: &BytesLimitingConfig{BytesPerSecond: 100_000}}),
		{Name: "mix", Type: Composite, Section: &CompositeConfig{MaxTotalSpansPerSecond: 1000, SubPolicies: []Config{
			boolean("app.mix"), latency(20_000),
		}}},
	}
}

// typicalSpan has ten attributes, two of which policies read without a match, so that every question is asked.
func typicalSpan(tb testing.TB) SpanView {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "checkout")
	rs.Resource().Attributes().PutStr("service.version", "1.2.3")
	rs.Resource().Attributes().PutStr("k8s.pod.name", "checkout-7d9c6b8f5-x2x9z")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.SetName("POST /cart/{id}/checkout")
	attrs := span.Attributes()
	attrs.PutStr("http.request.method", "POST")
	attrs.PutStr("url.path", "/cart/42/checkout")
	attrs.PutStr("url.scheme", "https")
	attrs.PutStr("server.address", "checkout.shop.svc")
	attrs.PutInt("server.port", 8443)
	attrs.PutInt("http.response.status_code", 201)
	attrs.PutStr("http.route", "/cart/{id}/checkout")
	attrs.PutStr("network.protocol.version", "2")
	attrs.PutStr("client.address", "10.1.2.3")
	attrs.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(tb, err)
	var r wire.Request
	require.NoError(tb, r.Scan(b))
	return SpanView{Span: &r.Spans[0], Bytes: b, Body: r.Spans[0].Body.Of(b), Resource: r.Resources[0].Body.Of(b), Scope: r.Scopes[0].Body.Of(b)}
}

// One span of a new trace: with the resource's bits found each time or once by the caller, and by the number of keys that
// policies ask for.
func BenchmarkObserve(b *testing.B) {
	view := typicalSpan(b)
	withoutResource := view
	withoutResource.Resource = nil
	for _, c := range []struct {
		name     string
		policies []Config
		view     SpanView
	}{
		{"keys=0", shippedLike()[:2], withoutResource},
		{"keys=1", shippedLike()[:3], withoutResource},
		{"keys=3", shippedLike(), withoutResource},
		{"keys=3/resource", shippedLike(), view},
		{"policies=2", mixed()[:2], withoutResource},
		{"policies=20", mixed(), withoutResource},
		{"policies=20/attributes", mixed()[:13], withoutResource},
		{"policies=20/expressions", mixed()[13:15], withoutResource},
		{"policies=20/conditions", mixed()[15:17], withoutResource},
	} {
		b.Run(c.name, func(b *testing.B) {
			set, err := Compile(c.policies, Options{})
			require.NoError(b, err)
			bits := make([]uint64, set.Words())
			b.ReportAllocs()
			for b.Loop() {
				clear(bits)
				set.Observe(bits, &c.view)
			}
		})
	}
}

// A trace that only probabilistic policies match, and limits that are used up.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name     string
		policies []Config
		options  Options
	}{
		{"policies=6", shippedLike(), Options{}},
		{"policies=20", twenty(), Options{}},
		{"policies=20/compat=contrib", twenty(), Options{Contrib: true}},
		{"mixed=2", mixed()[:2], Options{}},
		{"mixed=20", mixed(), Options{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			set, err := Compile(c.policies, c.options)
			require.NoError(b, err)
			t := &Trace{Bits: make([]uint64, set.Words()), Start: 1000, End: 2000, Spans: 10, Bytes: 5000, Randomness: 12345}
			b.ReportAllocs()
			for b.Loop() {
				t.Now += 1e6
				set.Decide(t, nil)
			}
		})
	}
}

// keyedPolicies are those that use keys or operations.
func keyedPolicies() []Config {
	return []Config{
		{Name: "rest", Type: Dynamic, Section: &DynamicConfig{SpansPerSecond: 1000, KeyConfig: KeyConfig{
			Key: []string{"service.name", "name", "status", "http.response.status_code"},
		}}},
		{Name: "rare", Type: Rare, Section: &RareConfig{}},
		{Name: "floor", Type: Diversity, Section: &DiversityConfig{}},
	}
}

// A span that gives its trace the key, one that does not because another has, and one that also is an operation, which is covered.
func BenchmarkObserveKeys(b *testing.B) {
	set, err := Compile(keyedPolicies(), Options{})
	require.NoError(b, err)
	root := typicalSpan(b)
	child := root
	span := *root.Span
	span.ParentID, span.ID = span.ID, [8]byte{2}
	child.Span = &span
	server := child
	entering := span
	entering.Kind = wire.KindServer
	server.Span = &entering
	bits := make([]uint64, set.Words())
	set.Observe(bits, &root)
	set.Decide(&Trace{Bits: bits, Spans: 1, Skeleton: func() iter.Seq[SpanView] { return slices.Values([]SpanView{root}) }}, nil)
	clear(bits)
	b.Run("root", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(bits)
			set.Observe(bits, &root)
		}
	})
	for name, view := range map[string]*SpanView{"child": &child, "server": &server} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Observe(bits, view)
			}
		})
	}
	require.Zero(b, bits[0]&^1, "the operation is covered")
}

// A decision with many keys. The cost of an interval's end is measured in package rates.
func BenchmarkDecideKeys(b *testing.B) {
	set, err := Compile(keyedPolicies(), Options{})
	require.NoError(b, err)
	root := typicalSpan(b)
	t := &Trace{Bits: make([]uint64, set.Words()), Start: 1000, End: 2000, Spans: 8, Randomness: 12345}
	set.Observe(t.Bits, &root)
	const (
		hashWord = 3 // of the first policy's key: bits are in word 0, and the key's own words follow
		keys     = 10_000
	)
	for i := range uint64(keys) {
		t.Bits[hashWord] = i*7919 + 1
		set.Decide(t, nil)
	}
	b.Run("decide", func(b *testing.B) {
		b.ReportAllocs()
		for i := uint64(0); b.Loop(); i++ {
			t.Bits[hashWord] = i%keys*7919 + 1
			set.Decide(t, nil)
		}
	})
}

// A decision that reads a trace of 20 spans.
func BenchmarkDecideSkeleton(b *testing.B) {
	set, err := Compile([]Config{
		{Name: "broken", Type: Orphans, Section: &OrphansConfig{}},
		{Name: "lost", Type: FailureMode, Section: &FailureModeConfig{Modes: []string{"response_lost"}}},
		{Name: "slow", Type: CriticalPathMs, Section: &CriticalPathConfig{ThresholdMs: new(int64(100)), Service: "cart"}},
	}, Options{})
	require.NoError(b, err)
	const spans = 20
	views := make([]SpanView, spans)
	for i := range views {
		views[i] = typicalSpan(b)
		span := *views[i].Span
		span.ID = [8]byte{byte(i + 1)}
		span.ParentID = [8]byte{byte(i)}
		span.Kind = int32(2 + i%2)
		views[i].Span = &span
	}
	all := slices.Values(views)
	read := func() iter.Seq[SpanView] { return all }
	bits := make([]uint64, set.Words())
	b.ReportAllocs()
	for b.Loop() {
		set.Decide(&Trace{Bits: bits, Spans: spans, Skeleton: read}, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}
