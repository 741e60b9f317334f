package spanmatch_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/spanmatch"
)

// request has two resources with one span each: "one" of shop with a=x, "two" of cart.
func request(t *testing.T) *wire.Request {
	td := ptrace.NewTraces()
	for service, name := range map[string]string{"shop": "one", "cart": "two"} {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetName(name)
		if name == "one" {
			s.Attributes().PutStr("a", "x")
		}
	}
	td.ResourceSpans().Sort(func(a, b ptrace.ResourceSpans) bool {
		return a.ScopeSpans().At(0).Spans().At(0).Name() < b.ScopeSpans().At(0).Spans().At(0).Name()
	})
	r, release, err := wire.Peek(t.Context(), td)
	require.NoError(t, err)
	t.Cleanup(release)
	return r
}

// TestConditions checks which spans the conditions match, and that those on resources are evaluated once for each.
func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		texts     []string
		spans     [2]bool
		resources [2]bool
	}{
		{texts: []string{`name == "one"`}, spans: [2]bool{true, false}},
		{texts: []string{`attributes["a"] == "x"`, `name == "two"`}, spans: [2]bool{true, true}},
		{texts: []string{`resource.attributes["service.name"] == "cart"`}, resources: [2]bool{false, true}},
		{texts: []string{`resource.attributes["service.name"] == "shop"`, `name == "two"`}, spans: [2]bool{false, true}, resources: [2]bool{true, false}},
		{texts: []string{`IsRootSpan()`}, spans: [2]bool{true, true}},
		{texts: []string{`status.code == STATUS_CODE_ERROR`}},
	} {
		c, err := spanmatch.Compile(tt.texts, nil)
		require.NoError(t, err)
		r := request(t)
		for i := range r.Spans {
			assert.Equal(t, tt.spans[i], c.OfSpan(r, i), "%v, span %d", tt.texts, i)
			assert.Equal(t, tt.resources[i], c.OfResource(r.Resources[i].Body.Of(r.Bytes)), "%v, resource %d", tt.texts, i)
		}
	}
}

// TestConditionWithError checks that a condition with an error does not match, that the next one is evaluated, and that the
// error is logged.
func TestConditionWithError(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	c, err := spanmatch.Compile([]string{`Substring(attributes["a"], 0, 9) == "x"`, `name == "one"`}, zap.New(core))
	require.NoError(t, err)
	r := request(t)
	assert.True(t, c.OfSpan(r, 0))
	assert.False(t, c.OfSpan(r, 1))
	assert.Equal(t, 1, logs.FilterMessageSnippet("evaluating an OTTL condition failed").Len())
}

func TestInvalid(t *testing.T) {
	_, err := spanmatch.Compile([]string{`name ==`, `true`}, nil)
	require.ErrorContains(t, err, "span[0]: ")
	_, err = spanmatch.Compile(nil, nil)
	require.Error(t, err)
}
