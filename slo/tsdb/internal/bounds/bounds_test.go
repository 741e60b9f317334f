package bounds_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const length = 16 << 10

var promql = parser.NewParser(parser.Options{})

// nested returns an expression within n pairs of before and after.
func nested(before, inner, after string, n int) string {
	return strings.Repeat(before, n) + inner + strings.Repeat(after, n)
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct{ expr, want string }{
		"long":                  {strings.Repeat(" ", length+1), "16385 bytes, and may have 16384"},
		"parentheses":           {nested("(", "1", ")", bounds.Nesting+1), "nest deeper than 64"},
		"calls":                 {nested("abs(", "a", ")", bounds.Nesting+1), "nest deeper than 64"},
		"aggregations":          {nested("sum by (x) (", "a", ")", bounds.Nesting+1), "nest deeper than 64"},
		"signs":                 {strings.Repeat("-", bounds.Operators+1) + "1", "256 operators"},
		"powers":                {strings.Repeat("1^", bounds.Operators+1) + "1", "256 operators"},
		"or":                    {strings.Repeat("a or ", bounds.Operators+1) + "a", `a=~"x|y"`},
		"subqueries":            {"a" + strings.Repeat("[1m:]", bounds.Operators+1), "256 operators"},
		"offsets":               {"a" + strings.Repeat(" offset 1m", bounds.Operators+1), "256 operators"},
		"matchers":              {"{" + strings.Repeat(`a="b",`, bounds.Matchers+1) + "}", "256 values"},
		"names in braces":       {"{" + strings.Repeat(`"b",`, bounds.Matchers+1) + "}", "256 values"},
		"repetition":            {`{a=~"` + strings.Repeat("x{1000}", 21) + `"}`, "20000 instructions"},
		"repetitions together":  {`{a=~"` + strings.Repeat(".{999}", 11) + `",b=~'` + strings.Repeat(".{999}", 11) + `'}`, "20000 instructions"},
		"pattern of a function": {`label_replace(a, "b", "", "c", "` + strings.Repeat(".{1000}", 21) + `")`, "20000 instructions"},
		"unfinished":            {strings.Repeat("(", 10_000), "nest deeper than 64"},
	} {
		err := bounds.Text(c.expr, length)
		require.ErrorContains(t, err, c.want, name)
		var large *bounds.Error
		require.ErrorAs(t, err, &large)
		assert.False(t, large.Costly(), name)
	}
	for name, expr := range map[string]string{
		"at the limit of parentheses":  nested("(", "1", ")", bounds.Nesting),
		"at the limit of operators":    strings.Repeat("1+", bounds.Operators) + "1",
		"brackets in a string":         `{a="` + strings.Repeat("([{", 1000) + `"}`,
		"a bracket in a quoted string": `{a="\"((("} or {b='\'((('}` + "or {c=`(((`}",
		"a comment":                    "a # " + strings.Repeat("(", 1000),
		"beside each other":            strings.Repeat("(1)+", 200) + "1",
		"many values of a matcher":     `{a=~"` + strings.Repeat("checkout|", 1500) + `x"}`,
		"no PromQL":                    "{a=",
		"empty":                        "",
	} {
		require.NoError(t, bounds.Text(expr, length), name)
	}
	require.ErrorContains(t, bounds.Texts([]string{"a{", strings.Repeat("(", 100)}, length), "nest deeper", "an unfinished selector hides none behind it")
	require.NoError(t, bounds.Texts([]string{nested("(", "1", "", 64), nested("(", "1", "", 64)}, length), "each nests by itself")
	require.Error(t, bounds.Texts([]string{strings.Repeat("1+", 200), strings.Repeat("1+", 200)}, length), "operators count together")
}

// depth returns the depth of a tree.
func depth(n parser.Node) int {
	maxSize := 0
	for child := range parser.ChildrenIter(n) {
		maxSize = max(maxSize, depth(child))
	}
	return maxSize + 1
}

// FuzzText: the parser's tree of an accepted expression is not deeper than the limit, and planning and formatting it are bounded
// and do not panic.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		`sum by (service_name) (rate(traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR"}[5m])) / 2`, nested("(", "1", ")", 70),
		nested("-(", "1", ")", 60), nested("abs(-", "a", ")", 60), "a" + strings.Repeat("[1m:1s]", 50), strings.Repeat("1^-", 80) + "1",
		`count_over_time(vector(1)[49000000s:1s])`, `a{b=~"(x{100}){9}"} @ start() offset -5m`, "a or b unless on (x) group_left (y) c",
		"{`a`='\\''}", `histogram_quantile(0.9, sum(a) without (le))`, "# )\n((((", `label_join(label_join(a,"b","","c","c"),"b","","c")`,
		strings.Repeat("(1 or ", 60) + "1" + strings.Repeat(")", 60), "a[5m", "1 +", "\x80", `a{"b\u00zz"}`, "topk(5, x) > bool 3",
	} {
		f.Add(seed)
	}
	at := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, text string) {
		if bounds.Text(text, length) != nil {
			return
		}
		expr, err := promql.ParseExpr(text)
		if err != nil {
			return
		}
		if d := depth(expr); d > bounds.Depth {
			t.Fatalf("%d deep: %s", d, text)
		}
		for _, e := range []bounds.Evaluation{{Start: at, End: at}, {Start: at, End: at.Add(time.Hour), Step: time.Second}} {
			cost, err := bounds.Plan(expr, e, 1_000_000)
			if err == nil && (cost.Samples < 0 || cost.Samples > 1_000_000 || cost.Bytes < bounds.SampleBytes) {
				t.Fatalf("cost %+v: %s", cost, text)
			}
		}
		if formatted, err := bounds.Format(expr); err == nil && len(formatted) > bounds.FormatWork {
			t.Fatalf("%d bytes of %s", len(formatted), text)
		}
	})
}

func TestPlan(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	instant := bounds.Evaluation{Start: at, End: at, SubqueryStep: time.Minute}
	ranged := bounds.Evaluation{Start: at, End: at.Add(time.Hour), Step: time.Minute, SubqueryStep: time.Minute}
	week := bounds.Evaluation{Start: at, End: at.Add(7 * 24 * time.Hour), Step: time.Minute, SubqueryStep: time.Minute}
	for _, c := range []struct {
		expr    string
		e       bounds.Evaluation
		samples int64 // at least, and at most three times that
		want    string
	}{
		{"a", instant, 1, ""},
		{"a", ranged, 61, ""},
		{"a + b", ranged, 3 * 61, ""},
		{"vector(1)[1h:1s]", instant, 3601, ""},
		{"max_over_time(a[1h:])", instant, 61, ""},
		{"max_over_time(a[1h:])", ranged, 121, ""},
		{"max_over_time(max_over_time(a[1h:1s])[1d:1m])", instant, 3600 + 86400, ""},
		{"count_over_time(vector(1)[49000000s:1s])", instant, 0, "49000001 steps, and 200000 are allowed"},
		{"count_over_time(vector(1)[490000s:1ms])", instant, 0, "steps"},
		{"count_over_time(vector(1)[1y:1s] @ end())", instant, 0, "steps"},
		{"count_over_time(vector(1)[199999s:1s])", instant, 200_000, ""},
		{"count_over_time(vector(1)[200000s:1s])", instant, 0, "200001 steps"},
		{"max_over_time(a[196399s:1s])", ranged, 200_000, ""},
		{"max_over_time(a[196400s:1s])", ranged, 0, "200001 steps"},
		{"max_over_time(a[10m:1s] @ end())", week, 10_081, ""},
		{"max_over_time(a[10m:1s])", week, 0, "take a larger step"},
		{"sum(max_over_time(a[200000s:1s])) + b", instant, 0, "200001 steps"},
		{"max_over_time((a+(b+(c+(d+(e+f)))))[190000s:1s])", instant, 0, "at least"},
		{"max_over_time(max_over_time(a[100d:10s])[100d:10s])", instant, 0, "864001 steps"},
		{"a @ end() + max_over_time(b[10m:1s] @ end())", ranged, 600, ""},
		{"max_over_time(a[1h:0.0001])", instant, 0, "shorter than a millisecond"},
		{"a", bounds.Evaluation{Start: at, End: at, Step: time.Microsecond}, 0, "shorter than a millisecond"},
		{"quantile_over_time(0.5, vector(1)[1d:1s])", ranged, 0, "points of subqueries"},
		{"sum(max_over_time(rate(a[5m])[30m:10s]))", ranged, 540, ""},
		{nestedJoin(8), instant, 0, "labels may become"},
		{nestedJoin(2), instant, 1, ""},
		{`label_replace(label_replace(a,"b","$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1","c","(.*)"),"b","$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1","b","(.*)")`, instant, 0, "labels may become"},
		{`count_values("v", (topk((3), a)))`, ranged, 122, ""},
		{`-info(a, {b="c"}) or absent(d) or vector(time())`, ranged, 61, ""},
	} {
		expr, err := promql.ParseExpr(c.expr)
		if err != nil && strings.Contains(c.expr, "info(") {
			continue // experimental
		}
		require.NoError(t, err, c.expr)
		cost, err := bounds.Plan(expr, c.e, 1_000_000)
		if c.want != "" {
			require.ErrorContains(t, err, c.want, c.expr)
			continue
		}
		require.NoError(t, err, c.expr)
		assert.GreaterOrEqual(t, cost.Samples, c.samples, c.expr)
		assert.LessOrEqual(t, cost.Samples, 3*c.samples+61, c.expr)
	}
}

// TestPlanOfExtremeTimes: extreme times do not bypass the limits.
func TestPlanOfExtremeTimes(t *testing.T) {
	expr, err := promql.ParseExpr("vector(1)")
	require.NoError(t, err)
	_, err = bounds.Plan(expr, bounds.Evaluation{Start: time.Unix(0, 0), End: time.Unix(math.MaxInt64/1000-62135596801, 0), Step: time.Second}, 1_000_000)
	require.ErrorContains(t, err, "at least")
}

func nestedJoin(n int) string {
	expr := "a"
	for range n {
		expr = fmt.Sprintf(`label_join(%s, "b", "", "b", "b", "b", "b")`, expr)
	}
	return expr
}

// TestBytes: samples with labels of their own, as in an instant query, take more memory.
func TestBytes(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	expr, err := promql.ParseExpr("a")
	require.NoError(t, err)
	instant, err := bounds.Plan(expr, bounds.Evaluation{Start: at, End: at}, 1000)
	require.NoError(t, err)
	ranged, err := bounds.Plan(expr, bounds.Evaluation{Start: at, End: at.Add(time.Hour), Step: time.Minute}, 1000)
	require.NoError(t, err)
	assert.Greater(t, instant.Bytes, 3*ranged.Bytes)
}

// TestFormat: the result equals Prometheus', and the bytes written on the way are bounded.
func TestFormat(t *testing.T) {
	for name, expr := range map[string]string{
		"calls":       nested("abs(", "a", ")", bounds.Nesting),
		"operators":   strings.Repeat("aaaaaaaaaaaaaaaaa + ", bounds.Operators) + "a",
		"to the left": nested("(a or ", "a", ")", bounds.Nesting),
		"short":       "a+b",
	} {
		require.NoError(t, bounds.Text(expr, length))
		parsed, err := promql.ParseExpr(expr)
		require.NoError(t, err)
		formatted, err := bounds.Format(parsed)
		require.NoError(t, err, name)
		assert.Equal(t, parser.Prettify(parsed), formatted)
	}
	long := strings.Repeat("a", 60)
	expr := strings.Repeat(long+"^", bounds.Operators) + long
	require.NoError(t, bounds.Text(expr, length))
	parsed, err := promql.ParseExpr(expr)
	require.NoError(t, err)
	_, err = bounds.Format(parsed)
	require.ErrorContains(t, err, "nests too deep")
}

// TestAllocations: per byte, checking an expression at any limit allocates no more than checking a short one.
func TestAllocations(t *testing.T) {
	for name, expr := range map[string]string{
		"parentheses": strings.Repeat("(", length), "operators": strings.Repeat("-", length), "pattern": `{a=~"` + strings.Repeat("(x{9}){9}", 1500) + `"}`,
		"braces": strings.Repeat("{", length), "strings": strings.Repeat(`"a"`, length/3), "spaces": strings.Repeat("range ", length/6),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = bounds.Text(expr, length)
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(400*length), name)
	}
}
