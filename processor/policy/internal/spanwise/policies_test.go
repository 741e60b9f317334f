package spanwise

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

type section interface {
	Compile(b *ask.Builder) (rule.Node, error)
}

func attribute(value any) policytest.Span {
	return policytest.Span{Attributes: map[string]any{"a": value}}
}

// decide shows a span to a policy, and returns whether it matches and which traits its rule lacks.
func decide(t *testing.T, s section, contrib bool, span policytest.Span) (matched bool, not rule.Traits) {
	b := ask.NewBuilder(contrib)
	n, err := s.Compile(b)
	require.NoError(t, err)
	q := b.Build()
	bits := make([]uint64, b.Words())
	v := policytest.Views(t, span)[0]
	q.Observe(bits, &v, nil)
	th, ok := n.Rule.Match(&rule.Trace{Bits: bits})
	require.Zero(t, th)
	return ok, n.Not
}

func num(n int64) *int64 { return &n }

// Numbers are compared exactly, integers with doubles and vice versa.
func TestNumericAttribute(t *testing.T) {
	between := func(least, most *int64) *NumericAttributeConfig {
		return &NumericAttributeConfig{Key: "a", MinValue: least, MaxValue: most}
	}
	const large = 1<<53 + 1
	for _, c := range []struct {
		cfg   *NumericAttributeConfig
		value any
		want  bool
	}{
		{between(num(2), num(5)), 1, false}, {between(num(2), num(5)), 2, true}, {between(num(2), num(5)), 5, true}, {between(num(2), num(5)), 6, false},
		{between(num(2), num(5)), 1.999, false}, {between(num(2), num(5)), 2.0, true}, {between(num(2), num(5)), 5.0, true},
		{between(num(2), num(5)), 5.001, false}, {between(num(2), num(5)), 4.5, true}, {between(num(2), num(5)), "3", false},
		{between(num(2), num(5)), true, false}, {between(num(2), num(5)), math.NaN(), false}, {between(num(2), nil), math.NaN(), false},
		{between(num(2), nil), int64(math.MaxInt64), true}, {between(num(2), nil), 1e300, true}, {between(num(2), nil), math.Inf(1), true},
		{between(num(2), nil), -1e300, false}, {between(nil, num(5)), -1e300, true}, {between(nil, num(5)), math.Inf(-1), true},
		{between(nil, num(5)), 1e300, false}, {between(nil, num(5)), int64(math.MinInt64), true}, {between(num(0), num(0)), 0, true},
		{between(num(2), num(math.MaxInt64)), float64(1 << 63), true}, {between(num(2), num(math.MaxInt64-1)), float64(1 << 63), false},
		{between(num(math.MinInt64), num(2)), float64(-1 << 63), true}, {between(num(math.MinInt64+1), num(2)), float64(-1 << 63), false},
		{between(num(large), num(large)), float64(large - 1), false}, {between(num(large-1), num(large)), float64(large - 1), true},
	} {
		got, not := decide(t, c.cfg, false, attribute(c.value))
		require.Equal(t, c.want, got, "%d %v", c.cfg, c.value)
		require.Zero(t, not)
		inverted := *c.cfg
		inverted.InvertMatch = true
		got, not = decide(t, &inverted, false, attribute(c.value))
		require.Equal(t, !c.want, got)
		require.Equal(t, rule.Monotone, not)
	}
	require.True(t, first(decide(t, between(num(0), num(5)), true, attribute(-7))), "a bound of 0 is none in contrib")
	require.True(t, first(decide(t, between(num(-1), num(5)), true, attribute("x"))), "and what is no integer is 0")
	for _, cfg := range []*NumericAttributeConfig{{MinValue: num(1)}, {Key: "a"}, between(num(2), num(1))} {
		_, err := cfg.Compile(ask.NewBuilder(false))
		require.Error(t, err)
	}
	_, err := between(num(0), nil).Compile(ask.NewBuilder(true))
	require.EqualError(t, err, "has no min_value and no max_value; write one or both")
}

func first(ok bool, _ rule.Traits) bool { return ok }

func TestBooleanAttribute(t *testing.T) {
	for _, c := range []struct {
		want, contrib bool // values
		value         any
		matched       bool
	}{
		{true, false, true, true}, {true, false, false, false}, {false, false, false, true}, {false, false, true, false},
		{true, false, "true", false}, {false, false, "x", false}, {false, false, 0, false}, {false, true, "x", true}, {true, true, "true", false},
		{true, true, true, true},
	} {
		cfg := &BooleanAttributeConfig{Key: "a", Value: c.want}
		require.Equal(t, c.matched, first(decide(t, cfg, c.contrib, attribute(c.value))), "%+v", c)
		cfg.InvertMatch = true
		require.Equal(t, !c.matched, first(decide(t, cfg, c.contrib, attribute(c.value))), "%+v", c)
	}
	_, err := (&BooleanAttributeConfig{}).Compile(ask.NewBuilder(false))
	require.EqualError(t, err, "key: is required; write the name of an attribute")
}

func TestStringAttribute(t *testing.T) {
	long := strings.Repeat("x", 63)
	for _, c := range []struct {
		values     []string
		expression bool
		value      any
		want       bool
		contrib    bool // the value in the attribute
	}{
		{[]string{"GET", "PUT"}, false, "GET", true, true}, {[]string{"GET", "PUT"}, false, "PUT", true, true},
		{[]string{"GET", "PUT"}, false, "POST", false, false}, {[]string{"GET"}, false, "PUT", false, false},
		{[]string{"", "x"}, false, "", true, false}, {[]string{"", "x"}, false, "x", true, true}, {[]string{"x"}, false, "", false, false},
		{[]string{"7"}, false, 7, false, false}, {[]string{"7"}, true, 7, false, false},
		{[]string{long, long + "yy"}, false, long, true, true}, {[]string{long, long + "yy"}, false, long + "yy", true, true},
		{[]string{long, long + "yy"}, false, long + "y", false, false}, {[]string{long, long + "yy"}, false, long[1:], false, false},
		{[]string{"^G", "T$"}, true, "GET", true, true}, {[]string{"^G", "T$"}, true, "PUT", true, true}, {[]string{"^G", "T$"}, true, "POS", false, false},
		{[]string{"^G", "T$"}, false, "GET", false, false}, {[]string{"^$"}, true, "", true, false},
	} {
		cfg := &StringAttributeConfig{Key: "a", Values: c.values, EnabledRegexMatching: c.expression}
		for contrib, want := range map[bool]bool{false: c.want, true: c.contrib} {
			cfg.InvertMatch = false
			require.Equal(t, want, first(decide(t, cfg, contrib, attribute(c.value))), "%+v", c)
			cfg.InvertMatch = true
			got, not := decide(t, cfg, contrib, attribute(c.value))
			require.Equal(t, !want, got, "%+v", c)
			require.Equal(t, rule.Monotone, not)
		}
	}
	for _, cfg := range []*StringAttributeConfig{
		{Values: []string{"x"}}, {Key: "a"}, {Key: "a", Values: []string{"x"}, CacheMaxSize: -1}, {Key: "a", Values: []string{"("}, EnabledRegexMatching: true},
	} {
		_, err := cfg.Compile(ask.NewBuilder(false))
		require.Error(t, err)
	}
	// Policies with equal questions share a bit, whatever the order of their values.
	b := ask.NewBuilder(false)
	bit := func(cfg StringAttributeConfig) int {
		n, err := cfg.Compile(b)
		require.NoError(t, err)
		return n.Rule.(rule.AnyBit)[0]
	}
	one := bit(StringAttributeConfig{Key: "a", Values: []string{"x", "y"}})
	require.Equal(t, one, bit(StringAttributeConfig{Key: "a", Values: []string{"y", "x", "y"}}))
	require.NotEqual(t, one, bit(StringAttributeConfig{Key: "a", Values: []string{"x"}}))
	require.NotEqual(t, one, bit(StringAttributeConfig{Key: "a", Values: []string{"x", "y"}, EnabledRegexMatching: true}))
}

// The result of an expression is cached.
func TestExpressionsAreRemembered(t *testing.T) {
	b := ask.NewBuilder(false)
	n, err := (&StringAttributeConfig{Key: "a", Values: []string{"^x"}, EnabledRegexMatching: true, CacheMaxSize: 8}).Compile(b)
	require.NoError(t, err)
	q := b.Build()
	for range 3 {
		for i := range 20 {
			for value, want := range map[string]bool{fmt.Sprint("x", i): true, fmt.Sprint("y", i): false} {
				bits := make([]uint64, b.Words())
				q.Observe(bits, &policytest.Views(t, attribute(value))[0], nil)
				_, ok := n.Rule.Match(&rule.Trace{Bits: bits})
				require.Equal(t, want, ok, value)
			}
		}
	}
}

func TestStatusCode(t *testing.T) {
	for _, c := range []struct {
		codes  []string
		status string
		want   bool
	}{
		{[]string{"OK"}, "OK", true}, {[]string{"OK"}, "ERROR", false}, {[]string{"OK"}, "", false}, {[]string{"ERROR"}, "ERROR", true},
		{[]string{"UNSET"}, "", true}, {[]string{"UNSET"}, "OK", false}, {[]string{"OK", "ERROR"}, "ERROR", true}, {[]string{"UNSET", "OK"}, "ERROR", false},
		{[]string{"OK", "ERROR", "UNSET"}, "UNKNOWN", false},
	} {
		got, not := decide(t, &StatusCodeConfig{c.codes}, false, policytest.Span{Status: c.status})
		require.Equal(t, c.want, got, "%+v", c)
		require.Zero(t, not)
	}
	for _, codes := range [][]string{nil, {"BAD"}} {
		_, err := (&StatusCodeConfig{codes}).Compile(ask.NewBuilder(false))
		require.Error(t, err)
	}
}

func TestTraceState(t *testing.T) {
	for state, want := range map[string]bool{
		"": false, "a=x": true, "a=y": true, "a=z": false, "a=": false, "b=x": false, "ab=x": false, "a": false, "b=1,a=x": true, "b=1, \ta=x": true,
		"a=z,a=x": false, "a=x ,b=1": true, "b=a=x": false,
	} {
		span := policytest.Span{TraceState: state}
		require.Equal(t, want, first(decide(t, &TraceStateConfig{"a", []string{"x", "y"}}, false, span)), state)
	}
	empty := &TraceStateConfig{"a", []string{"", "x"}}
	require.True(t, first(decide(t, empty, false, policytest.Span{TraceState: "a="})))
	require.False(t, first(decide(t, empty, true, policytest.Span{TraceState: "a="})))
	require.True(t, first(decide(t, empty, true, policytest.Span{TraceState: "a=x"})))
	require.False(t, first(decide(t, empty, true, policytest.Span{TraceState: "a=x,B=1"})), "malformed")
	for _, cfg := range []*TraceStateConfig{{"", []string{"x"}}, {"a", nil}} {
		_, err := cfg.Compile(ask.NewBuilder(false))
		require.Error(t, err)
	}
}

func TestTraceFlags(t *testing.T) {
	for flags, want := range map[uint32]bool{0: false, 1: true, 2: false, 3: true, 0x100: false, 0x301: true} {
		b := ask.NewBuilder(false)
		n := TraceFlags(b)
		q := b.Build()
		bits := make([]uint64, b.Words())
		q.Observe(bits, &policytest.Views(t, policytest.Span{Flags: flags})[0], nil)
		_, ok := n.Rule.Match(&rule.Trace{Bits: bits})
		require.Equal(t, want, ok, flags)
	}
}
