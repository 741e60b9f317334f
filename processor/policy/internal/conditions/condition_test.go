package conditions

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// A span is decoded only for the conditions that testdata names.
func TestConditionsReadInPlace(t *testing.T) {
	all := newAgreements(t)
	span := policytest.Span{Name: "GET /cart", Attributes: map[string]any{"any": 1, "str": "x"}, Events: []policytest.Event{{Name: "exception"}}}
	view := policytest.Views(t, span)[0]
	for _, a := range all.list {
		var pool contextPool
		c := pool.get(&view, all.values)
		for event := range wire.SpanEvents(view.Body) {
			c.toEvent(event, 0)
		}
		_, err := a.own.evaluate(c)
		if err == nil {
			require.Equal(t, a.inPlace, c.span == nil, a.own.text)
		}
		require.True(t, !a.inPlace || c.span == nil, a.own.text)
		pool.put(c)
		require.Nil(t, c.span)
	}
}

func parseOne(t *testing.T, key, text string) *condition {
	list, err := NewBuilder(ask.NewBuilder(false), nil).parse(key, []string{text})
	require.NoError(t, err)
	return list[0]
}

// A result is cached only if its inputs are likely to repeat, and a condition on the resource alone is not evaluated for each span.
func TestInputsOfConditions(t *testing.T) {
	const remembered, ofResource, neither = "remembered", "of resource", ""
	for text, want := range map[string]string{
		`attributes["a"] == 1`:                                           remembered,
		`attributes["a"] == 1 and name == "x" and IsRootSpan()`:          remembered,
		`resource.attributes["a"] == 1 and kind == 1`:                    remembered,
		`resource.attributes["a"] == 1`:                                  remembered + ofResource,
		`Len(resource.attributes) == 1`:                                  ofResource,
		`true`:                                                           remembered + ofResource,
		`span_id.string == "x"`:                                          neither,
		`end_time - start_time > Duration("1s")`:                         neither,
		`Now() > start_time`:                                             neither,
		`resource.attributes["a"] == UUID()`:                             neither,
		`resource.attributes["a"] == UUIDv7()`:                           neither,
		`resource.attributes["a"] == 1 and Now() > Time("2020", "%Y")`:   neither,
		`resource.attributes[resource.attributes["a"]] == 1`:             neither,
		`attributes["a"][0] == 1`:                                        neither,
		`attributes["a"] == 1 and Len(events) > 0`:                       neither,
		`instrumentation_scope.name == "lib" and scope.version == "1.0"`: remembered,
	} {
		cond := parseOne(t, "span", text)
		got := ""
		if cond.results != nil {
			got += remembered
		}
		if cond.ofResource {
			got += ofResource
		}
		require.Equal(t, want, got, text)
	}
	require.False(t, parseOne(t, "spanevent", `resource.attributes["a"] == 1`).ofResource, "there must be an event")
}

// A new function of OTTL must be examined: is its result determined by its arguments? If not, add it to impure. Then run the test
// with -rewrite.
func TestFunctionsAreKnown(t *testing.T) {
	names := slices.Sorted(maps.Keys(ottlfuncs.StandardConverters[*Context]()))
	got := strings.Join(names, "\n") + "\n"
	if *policytest.Rewrite {
		require.NoError(t, os.WriteFile("testdata/ottl/functions", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/ottl/functions")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	require.Subset(t, names, impure)
}

// A condition is not evaluated again for equal inputs.
func TestConditionRemembers(t *testing.T) {
	cond := parseOne(t, "span", `attributes["a"] == "x"`)
	evaluate, evaluated := cond.evaluate, 0
	cond.evaluate = func(c *Context) (bool, error) { evaluated++; return evaluate(c) }
	set := &Set{spans: []list{{spans: []*condition{cond}, errors: newEvaluationErrors(nil)}}, spanBits: rule.BitSet{1}, values: 1}
	questions := ask.NewBuilder(false)
	require.Zero(t, questions.Value("a"))
	attributes := questions.Build()
	for _, value := range []any{"x", "y", 1, 1.0, true, nil, []any{"x"}, map[string]any{"x": 1}, []byte("x"), ""} {
		view := policytest.Views(t, policytest.Span{Attributes: map[string]any{"a": value}})[0]
		evaluated = 0
		for range 3 {
			bits := []uint64{0}
			c := set.Begin(&view)
			attributes.Observe(make([]uint64, 1), &view, c.Values())
			set.End(bits, c)
			require.Equal(t, value == "x", bits[0] == 1, value)
		}
		require.Equal(t, 1, evaluated, value)
	}
}

func TestEvaluationErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := zapobserver.New(zap.WarnLevel)
		failing := func(mode string) *Set {
			b := NewBuilder(ask.NewBuilder(false), zap.New(core))
			_, err := b.Compile(&Config{ErrorMode: mode, Span: []string{`Len(attributes["a"]) == 1`}})
			require.NoError(t, err)
			return b.Build()
		}
		view := policytest.Views(t, policytest.Span{Attributes: map[string]any{"a": 1}})[0]
		value, _ := wire.SpanAttribute(view.Body, "a")
		observe := func(set *Set) {
			bits := make([]uint64, 1)
			c := set.Begin(&view)
			c.Values()[0] = value
			set.End(bits, c)
			require.Zero(t, bits[0])
		}

		silent := failing("silent")
		observe(silent)
		require.EqualValues(t, 1, silent.Errors())
		require.Zero(t, logs.Len())

		for _, mode := range []string{"", "ignore", "Propagate"} {
			set := failing(mode)
			for range 3 {
				observe(set)
			}
			require.EqualValues(t, 3, set.Errors())
			require.Len(t, logs.TakeAll(), 1, "at most once a minute")
			time.Sleep(time.Minute)
			observe(set)
			told := logs.TakeAll()
			require.Len(t, told, 1)
			require.Equal(t, `Len(attributes["a"]) == 1`, told[0].ContextMap()["condition"])
			require.EqualValues(t, 4, told[0].ContextMap()["errors_so_far"])
		}
	})
}
