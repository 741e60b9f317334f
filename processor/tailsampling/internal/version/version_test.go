package version

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

func setOf(t *testing.T, policies ...policy.Config) *policy.Set {
	t.Helper()
	set, err := policy.Compile(policies, policy.Options{})
	require.NoError(t, err)
	return set
}

func condition(name, span string) policy.Config {
	return policy.Config{Name: name, Type: policy.OTTLCondition, Section: &policy.OTTLConditionConfig{Span: []string{span}}}
}

func service(name, value string) policy.Config {
	return policy.Config{Name: name, Type: policy.StringAttribute, Section: &policy.StringAttributeConfig{
		Key: "service.name", Values: []string{value},
	}}
}

// spanOf is a span of a service.
func spanOf(t *testing.T, name string) *policy.SpanView {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", name)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{1})
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	s := &r.Spans[0]
	return &policy.SpanView{
		Span: s, Bytes: b, Body: s.Body.Of(b), Resource: wire.AppendResourceHeader(nil, r.Resources[0].Body.Of(b)),
		Scope: wire.AppendScopeHeader(nil, r.Scopes[0].Body.Of(b)),
	}
}

func rare(name string) policy.Config {
	return policy.Config{Name: name, Type: "rare", Rest: map[string]any{"rare": map[string]any{"traces": 1}}}
}

func composite(name string) policy.Config {
	return policy.Config{Name: name, Type: policy.Composite, Section: &policy.CompositeConfig{
		MaxTotalSpansPerSecond: 1000, SubPolicies: []policy.Config{all("first"), all("second")},
	}}
}

// Policies and sub-policies have numbers of their own.
func TestNumbersOfSubPolicies(t *testing.T) {
	names := NewNames()
	v, err := New(3, setOf(t, all("a"), composite("c")), nil, names)
	require.NoError(t, err)
	require.Equal(t, 3, v.Number)
	for d, want := range map[policy.Decision]Name{
		{Policy: 1, Sub: 0}:           {"c", "first"},
		{Policy: 1, Sub: 1}:           {"c", "second"},
		{Policy: 1, Sub: policy.None}: {"c", ""},
		{Policy: 0, Sub: policy.None}: {"a", ""},
	} {
		require.Equal(t, want, names.Of(v.NumberOf(d)))
	}
	require.Equal(t, []string{"", "a", "c", "c\x00first", "c\x00second"}, names.Strings())
}

// A version whose names exceed the numbers is an error.
func TestVersionsNeedRoomForTheirNames(t *testing.T) {
	names := NewNames()
	for i := range maxNames - 2 {
		_, err := names.Number(Name{Policy: strconv.Itoa(i)})
		require.NoError(t, err)
	}
	_, err := New(1, setOf(t, composite("c")), nil, names)
	require.ErrorContains(t, err, "65535 different names", "there was room for the policy, not for its first sub-policy")
	_, err = New(1, setOf(t, all("new")), nil, names)
	require.ErrorContains(t, err, "restart")
}

// The shadow's bits follow the set's, and each reads its own.
func TestShadowHasBitsOfItsOwn(t *testing.T) {
	set, shadow := setOf(t, service("x", "x"), service("y", "y")), setOf(t, service("y", "y"), all("a"))
	both, err := New(1, set, shadow, NewNames())
	require.NoError(t, err)
	alone, err := New(1, set, nil, NewNames())
	require.NoError(t, err)
	require.Equal(t, set.Words(), alone.Words)
	require.Equal(t, set.Words()+shadow.Words(), both.Words)
	for _, name := range []string{"x", "y"} {
		view := spanOf(t, name)
		want := make([]uint64, set.Words())
		set.Observe(want, view)
		wantShadow := make([]uint64, shadow.Words())
		shadow.Observe(wantShadow, view)
		bits := make([]uint64, both.Words)
		both.Observe(bits, view)
		require.Equal(t, append(append([]uint64{}, want...), wantShadow...), bits)
		bits = make([]uint64, alone.Words)
		alone.Observe(bits, view)
		require.Equal(t, want, bits)

		clear(want)
		clear(wantShadow)
		set.ResourceBits(view.Resource, want)
		shadow.ResourceBits(view.Resource, wantShadow)
		bits = make([]uint64, both.Words)
		both.ResourceBits(view.Resource, bits)
		require.Equal(t, append(append([]uint64{}, want...), wantShadow...), bits)
		bits = make([]uint64, alone.Words)
		alone.ResourceBits(view.Resource, bits)
		require.Equal(t, want, bits)
	}
}

func TestSkeletonIsForTheSetOrTheShadow(t *testing.T) {
	plain := setOf(t, all("a"))
	orphans := setOf(t, policy.Config{Name: "o", Type: policy.Orphans, Section: &policy.OrphansConfig{}})
	for _, tc := range []struct {
		set, shadow *policy.Set
		want        bool
	}{
		{plain, nil, false}, {plain, plain, false}, {orphans, nil, true}, {orphans, plain, true}, {plain, orphans, true},
	} {
		v, err := New(1, tc.set, tc.shadow, NewNames())
		require.NoError(t, err)
		require.Equal(t, tc.want, v.Skeleton)
	}
}

// A version continues with the counts of the previous version's policies, and the shadow with the shadow's.
func TestVersionsGoOnWhereTheLastWas(t *testing.T) {
	make2 := func(number int, names *Names, withShadow bool) *Version {
		var shadow *policy.Set
		if withShadow {
			shadow = setOf(t, rare("r"))
		}
		v, err := New(number, setOf(t, rare("r")), shadow, names)
		require.NoError(t, err)
		return v
	}
	decide := func(s *policy.Set) policy.Verdict {
		return s.Decide(&policy.Trace{Bits: make([]uint64, s.Words()), Spans: 1, Bytes: 1}, nil).Verdict
	}
	for _, tc := range []struct{ before, after, shadowSamples bool }{
		{true, true, false}, {false, true, true}, {true, false, false},
	} {
		names := NewNames()
		before, after := make2(1, names, tc.before), make2(2, names, tc.after)
		require.Equal(t, policy.Sampled, decide(before.Set))
		if before.Shadow != nil {
			require.Equal(t, policy.Sampled, decide(before.Shadow))
		}
		after.Follow(before)
		require.Equal(t, policy.NotSampled, decide(after.Set), "there was one")
		if after.Shadow != nil {
			require.Equal(t, tc.shadowSamples, decide(after.Shadow) == policy.Sampled)
		}
	}
}

func TestEvaluationErrorsAddUp(t *testing.T) {
	newOne := func() *Version {
		v, err := New(1, setOf(t, condition("c", `attributes["tags"][5] == "x"`)), nil, NewNames())
		require.NoError(t, err)
		return v
	}
	fail := func(v *Version) {
		td := ptrace.NewTraces()
		span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{1})
		span.Attributes().PutEmptySlice("tags")
		var m ptrace.ProtoMarshaler
		b, err := m.MarshalTraces(td)
		require.NoError(t, err)
		var r wire.Request
		require.NoError(t, r.Scan(b))
		s := &r.Spans[0]
		v.Observe(make([]uint64, v.Words), &policy.SpanView{Span: s, Bytes: b, Body: s.Body.Of(b)})
	}
	first, second := newOne(), newOne()
	fail(first)
	fail(first)
	require.EqualValues(t, 2, first.EvaluationErrors())
	require.Zero(t, second.EvaluationErrors())
	second.CountErrorsFrom(first)
	fail(second)
	require.EqualValues(t, 3, second.EvaluationErrors())

	shadow := newOne()
	for range 5 {
		fail(shadow) // beside the current one
	}
	promoted, err := New(3, shadow.Set, nil, NewNames())
	require.NoError(t, err)
	promoted.CountErrorsFrom(second)
	require.EqualValues(t, 3, promoted.EvaluationErrors(), "the metric does not jump")
	fail(promoted)
	require.EqualValues(t, 4, promoted.EvaluationErrors())
}

func TestWarnings(t *testing.T) {
	salted := policy.Config{Name: "s", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 1, HashSalt: "x"}}
	set, shadow := setOf(t, salted, salted2(salted)), setOf(t, salted)
	for range 2 { // reading changes nothing
		v, err := New(1, set, shadow, NewNames())
		require.NoError(t, err)
		list := v.Warnings()
		require.Len(t, list, 3)
		require.Equal(t, set.Warnings(), list[:2])
		require.Equal(t, "shadow::"+shadow.Warnings()[0], list[2])
		v, err = New(1, set, nil, NewNames())
		require.NoError(t, err)
		require.Equal(t, set.Warnings(), v.Warnings())
	}
}

func salted2(cfg policy.Config) policy.Config {
	cfg.Name = "t"
	return cfg
}

// Current returns the version that was set last, and the history has all of them.
func TestVersionsKnowTheCurrentOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := NewNames()
		first := compile(t, 1, names, all("a"))
		time.Sleep(time.Hour)
		second, err := New(2, setOf(t, all("b")), setOf(t, service("x", "x")), names)
		require.NoError(t, err)
		v := NewVersions(names, first)
		require.Same(t, first, v.Current())
		require.Same(t, names, v.Names)
		v.Set(second)
		require.Same(t, second, v.Current())
		require.Equal(t, time.Hour, second.Since.Sub(first.Since))
		info, known := v.History.Of(1)
		require.True(t, known)
		require.Equal(t, Info{Number: 1, Since: first.Since, Policies: []PolicyInfo{{"a", "always_sample"}}}, info)
		info, known = v.History.Of(2)
		require.True(t, known)
		require.Equal(t, Info{
			Number: 2, Since: second.Since, Policies: []PolicyInfo{{"b", "always_sample"}}, Shadow: []PolicyInfo{{"x", "string_attribute"}},
		}, info)
	})
}
