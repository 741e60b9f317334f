package stateful

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// keyOn returns the key of these fields, and a function that shows it traces.
func keyOn(t *testing.T, fields ...string) (*traceKey, func(spans ...policytest.Span) *rule.Trace) {
	b := ask.NewBuilder(false)
	k, err := newKey(b, fields, 100)
	require.NoError(t, err)
	q := b.Build()
	return k, func(spans ...policytest.Span) *rule.Trace {
		bits := make([]uint64, b.Words())
		for _, v := range policytest.Views(t, spans...) {
			q.Observe(bits, &v, nil)
		}
		return &rule.Trace{Bits: bits}
	}
}

// The key is that of the root, of the first of several roots, and without one of the first span; ties go to the least ID.
func TestWhichSpanGivesTheKey(t *testing.T) {
	k, show := keyOn(t, "name")
	root := func(name string, id byte, start time.Duration) policytest.Span {
		return policytest.Span{Name: name, ID: id, Start: start}
	}
	child := func(name string, id byte, start time.Duration) policytest.Span {
		return policytest.Span{Name: name, ID: id, Start: start, Parent: 99}
	}
	for want, spans := range map[string][]policytest.Span{
		"a root before children":        {child("child", 1, 0), root("a root before children", 9, 5)},
		"the first root":                {root("the first root", 9, 1), root("later", 1, 2)},
		"of two roots the lesser ID":    {root("more", 2, 1), root("of two roots the lesser ID", 1, 1)},
		"the first child":               {child("later", 1, 2), child("the first child", 2, 1)},
		"of two children the lesser ID": {child("more", 2, 1), child("of two children the lesser ID", 1, 1)},
	} {
		require.Equal(t, want, k.text(show(spans...)))
		reversed := []policytest.Span{spans[1], spans[0]}
		require.Equal(t, want, k.text(show(reversed...)))
	}
	unknown := policytest.Views(t, root("unknown", 1, 0))[0]
	unknown.Span.Start = 0
	known := policytest.Views(t, root("known", 2, 0))[0]
	require.Greater(t, rankOf(known.Span), rankOf(unknown.Span))
	far := *unknown.Span
	far.Start = 1<<63 - 2
	require.Equal(t, rankOf(&far), rankOf(unknown.Span))
	far.Start = 1<<64 - 1
	require.Equal(t, rankOf(&far), rankOf(unknown.Span))
	far.Start = 1<<63 - 3
	require.Greater(t, rankOf(&far), rankOf(unknown.Span))
	far.ParentID, far.Start = far.ID, 1
	require.Less(t, rankOf(&far), rankOf(unknown.Span))
	require.NotZero(t, rankOf(&far))
}

// Values of every type are those of the span, or else of its resource, and are cut.
func TestKeyValues(t *testing.T) {
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		fields []string
		span   policytest.Span
		want   string
	}{
		{[]string{"a", "name"}, policytest.Span{Name: "GET", Attributes: map[string]any{"a": "x"}}, "x, GET"},
		{[]string{"a"}, policytest.Span{Attributes: map[string]any{"a": 7}, Resource: map[string]any{"a": "r"}}, "7"},
		{[]string{"a"}, policytest.Span{Resource: map[string]any{"a": "r"}}, "r"},
		{[]string{"a", "b"}, policytest.Span{Attributes: map[string]any{"b": true}}, ", true"},
		{[]string{"a"}, policytest.Span{Attributes: map[string]any{"a": 0.5}}, "0.5"},
		{[]string{"a"}, policytest.Span{Attributes: map[string]any{"a": long}}, long[:128]},
		{[]string{"name"}, policytest.Span{Name: long}, long[:128]},
		{[]string{"a"}, policytest.Span{Attributes: map[string]any{"a": []any{long}}}, `["` + long[:126]},
		{[]string{"status", "name"}, policytest.Span{Name: "GET"}, "ok, GET"},
		{[]string{"status", "name"}, policytest.Span{Name: "GET", Status: "ERROR"}, "error, GET"},
	} {
		k, show := keyOn(t, c.fields...)
		require.Equal(t, c.want, k.text(show(c.span)), c.fields)
	}
}

// With status as a field, an error in any span makes another key.
func TestStatusIsAKey(t *testing.T) {
	with, showWith := keyOn(t, "name", "status")
	without, showWithout := keyOn(t, "name")
	fine, failed := []policytest.Span{{Name: "a"}}, []policytest.Span{{Name: "a"}, {Parent: 1, Status: "ERROR"}}
	require.NotEqual(t, with.of(showWith(fine...)), with.of(showWith(failed...)))
	require.Equal(t, without.of(showWithout(fine...)), without.of(showWithout(failed...)))
	require.NotZero(t, with.of(showWith(failed...)))
	zero := &rule.Trace{Bits: showWith(failed...).Bits}
	zero.Bits[with.word+hashWord] = failedKey
	require.EqualValues(t, rates.Other+1, with.of(zero), "no key is 0")
}

// A trace has the adjusted count of its upstream sampling.
func TestAdjustedCount(t *testing.T) {
	k, show := keyOn(t, "name")
	require.Equal(t, 1.0, k.count(show(policytest.Span{})))
	require.Equal(t, 4.0, k.count(show(policytest.Span{TraceState: "ot=th:c;rv:f0000000000000"})))
	require.Equal(t, 1.0, k.count(&rule.Trace{Bits: make([]uint64, 5)}), "of no span")
}

// Policies with equal keys share one, with the larger limit.
func TestKeysAreShared(t *testing.T) {
	b := ask.NewBuilder(false)
	one, err := newKey(b, []string{"name", "x"}, 10)
	require.NoError(t, err)
	again, err := newKey(b, []string{"name", "x"}, 30)
	require.NoError(t, err)
	require.Same(t, one, again)
	require.Equal(t, 30, one.texts.limit)
	_, err = newKey(b, []string{"name", "x"}, 20)
	require.NoError(t, err)
	require.Equal(t, 30, one.texts.limit)
	other, err := newKey(b, []string{"x", "name"}, 10)
	require.NoError(t, err)
	require.Len(t, b.Observers(), 2)
	require.Equal(t, 1, one.word)
	require.Equal(t, 5, other.word)
	require.Equal(t, 9, b.Words())
	require.False(t, one.status)
	withStatus, err := newKey(b, []string{"status"}, 10)
	require.NoError(t, err)
	require.True(t, withStatus.status)
}

// Texts are kept in two generations: used ones are kept, and others evicted.
func TestKeyTexts(t *testing.T) {
	k := newKeyTexts(4)
	require.Len(t, k.known, 8)
	require.Len(t, newKeyTexts(1<<20).known, 1<<14)
	k.add(1, []byte("one"))
	k.add(1, []byte("other"))
	k.add(2, []byte("t\xffo"))
	require.Equal(t, "one", k.of(1))
	require.Equal(t, "t\ufffdo", k.of(2))
	require.Empty(t, k.of(3))
	k.add(3, []byte("three"))
	require.Equal(t, map[uint64]string{1: "one", 2: "t\ufffdo"}, k.older)
	require.Equal(t, map[uint64]string{3: "three"}, k.recent)
	k.add(1, []byte("not read again"))
	require.Equal(t, "one", k.recent[1])
	k.add(4, []byte("four"))
	require.Equal(t, "one", k.of(1))
	require.Empty(t, k.of(2))
	one := newKeyTexts(1)
	for i := range uint64(5) {
		one.add(i+1, fmt.Append(nil, i))
		require.Equal(t, fmt.Sprint(i), one.of(i+1))
		require.Len(t, one.recent, 1)
	}
	// Keys that share a slot of the table do not hide each other.
	k = newKeyTexts(4)
	k.add(1, []byte("one"))
	k.add(9, []byte("nine"))
	k.add(1, []byte("one"))
	require.Equal(t, "one", k.of(1))
	require.Equal(t, "nine", k.of(9))
}

// Two spans with equal IDs give the same key in any order.
func TestSpansWithOneID(t *testing.T) {
	k, show := keyOn(t, "name")
	a, b := policytest.Span{Name: "a", ID: 1}, policytest.Span{Name: "b", ID: 1}
	require.Equal(t, k.text(show(a, b)), k.text(show(b, a)))
	light := policytest.Span{Name: "a", ID: 1, TraceState: "ot=th:c;rv:f0000000000000"}
	require.Equal(t, 4.0, k.count(show(a, light)))
	require.Equal(t, 4.0, k.count(show(light, a)))
}
