package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore"
)

func exampleView(t *testing.T) (traceView, *fakeStore) {
	t.Helper()
	world := everything()
	w := get(t, world.handler(t, pages, ""), "/api/traces/v1/traces/"+exampleHex)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return decode[traceView](t, w), world.pipelines["trace_store"].(*fakeStore)
}

// byName finds a span of the view.
func (v traceView) byName(t *testing.T, name string) spanView {
	t.Helper()
	for _, s := range v.Spans {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no span", name)
	return spanView{}
}

func TestTraceView(t *testing.T) {
	view, store := exampleView(t)
	assert.Equal(t, exampleHex, view.TraceID)
	assert.Equal(t, exampleSummary(), view.Summary)
	assert.Equal(t, keptView{"errors", "8", 2, 1}, view.Kept)
	assert.Equal(t, 1, view.Orphans)
	assert.Len(t, view.Resources, 2)
	assert.Len(t, view.Clock.Clocks, 2)
	assert.Equal(t, "bounded", view.Clock.Status)
	assert.Equal(t, []pcommon.TraceID{keptID, goneID}, store.has, "each linked trace is asked for once")

	for i, s := range view.Spans {
		assert.Equal(t, s.Synthetic, s.Resource < 0, s.Name)
		if i > 0 {
			assert.LessOrEqual(t, s.Depth, view.Spans[i-1].Depth+1, "preorder")
		}
	}

	server := view.byName(t, "POST /checkout")
	assert.Equal(t, "server", server.Kind)
	assert.Equal(t, "error", server.Status)
	assert.Equal(t, "no stock", server.StatusMessage)
	assert.Equal(t, "60000000", server.Duration)
	assert.Equal(t, unixNano(uint64(at(5_000))), server.Start, "raw times survive")
	assert.Equal(t, unixNano(uint64(at(20))), server.CorrectedStart, "in the middle of its client's 80 ms")
	require.NotNil(t, server.Uncertainty)
	assert.Equal(t, "11000000", *server.Uncertainty, "either side of it in the client's, and a tick of a clock that counts milliseconds")
	assert.Equal(t, []eventView{{"exception", unixNano(uint64(at(5_050))), map[string]any{"exception.type": "OutOfStock"}}}, server.Events)

	client := view.byName(t, "call")
	assert.Equal(t, scopeView{"http", "1.2"}, client.Scope)
	var kept []bool
	for _, link := range client.Links {
		kept = append(kept, link.Kept)
	}
	assert.Equal(t, []bool{true, false, true, true}, kept, "stored, gone, stored, and this trace itself")

	odd := view.byName(t, "pay")
	assert.Equal(t, "unspecified", odd.Kind, "what OTLP does not know")
	assert.Equal(t, "unset", odd.Status)
	assert.Contains(t, odd.Flags, "orphan")
	assert.True(t, view.byName(t, "missing span").Synthetic)
}

// TestAttributesAsJSON: a browser must read what was sent, whatever JSON numbers can hold.
func TestAttributesAsJSON(t *testing.T) {
	view, _ := exampleView(t)
	assert.Equal(t, map[string]any{
		"http.route": "/cart </script>", "small": 42.0, "large": "9223372036854775807", "ratio": 0.5, "nan": "NaN", "infinite": "-Inf",
		"cached": true, "empty": nil, "raw": "/wA=", "list": []any{"-9223372036854775808", "x"}, "map": map[string]any{"deep": "+Inf"},
	}, view.byName(t, "GET /cart").Attributes)

	for n, want := range map[int64]any{exactInteger: int64(exactInteger), exactInteger + 1: "9007199254740993", -exactInteger: int64(-exactInteger), -exactInteger - 1: "-9007199254740993"} {
		assert.Equal(t, want, valueJSON(pcommon.NewValueInt(n)))
	}
}

func TestHexThreshold(t *testing.T) {
	for th, want := range map[uint64]string{0: "0", 1: "00000000000001", 1 << 55: "8", 1<<56 - 1: "ffffffffffffff", 0x0c << 48: "0c"} {
		assert.Equal(t, want, hexThreshold(th))
	}
}

// TestSearchQuery passes on what was asked for.
func TestSearchQuery(t *testing.T) {
	world := everything()
	h := world.handler(t, pages, "")
	store := world.pipelines["trace_store"].(*fakeStore)
	for target, want := range map[string]tracestore.Query{
		"": {Limit: 20},
		"?service=a&operation=b+c&policy=errors&limit=200&cursor=xyz&error=true": {
			Service: "a", Operation: "b c", Policy: "errors", Limit: 200, Cursor: "xyz", Error: true},
		"?error=false&min_duration=1.5s&max_duration=1.5s": {Limit: 20, MinDuration: 1500 * time.Millisecond, MaxDuration: 1500 * time.Millisecond},
		"?start=2026-01-31T11:00:00.5Z&end=2026-01-31T13:00:00%2B01:00": {
			Limit: 20, Start: noon.Add(-time.Hour + 500*time.Millisecond), End: noon},
	} {
		w := get(t, h, "/api/traces/v1/search"+target)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		assert.True(t, want.Start.Equal(store.asked.Start) && want.End.Equal(store.asked.End), target)
		store.asked.Start, store.asked.End = want.Start, want.End
		assert.Equal(t, want, store.asked, target)
	}
}

func TestParseTraceID(t *testing.T) {
	for text, want := range map[string]pcommon.TraceID{
		exampleHex:                         exampleID,
		"00000000000000AB":                 exampleID,
		"0102030405060708090A0b0c0d0e0f10": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	} {
		got, err := parseTraceID(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "ab", "xx", exampleHex + "00", exampleHex[1:] + "g"} {
		_, err := parseTraceID(text)
		assert.ErrorContains(t, err, "32 hexadecimal digits", text)
	}
}

// TestHistoryRange: what is not asked for is an hour up to now, in about 300 points of whole minutes.
func TestHistoryRange(t *testing.T) {
	world := everything()
	h := world.handler(t, pages, "")
	asked := &world.extensions["slo"].(*fakeEngine).asked
	for _, c := range []struct {
		query string
		span  time.Duration
		step  time.Duration
	}{
		{"", time.Hour, time.Minute},
		{"?start=2026-01-31T00:00:00Z&end=2026-01-31T12:00:00Z", 12 * time.Hour, 2 * time.Minute},
		{"?start=2026-01-01T12:00:00Z&end=2026-01-31T12:00:00Z", 30 * 24 * time.Hour, 144 * time.Minute},
		{"?start=2026-01-31T00:00:00Z&end=2026-01-31T12:00:00Z&step=3600", 12 * time.Hour, time.Hour},
		{"?end=2026-01-31T12:00:00Z", time.Hour, time.Minute},
		{"?start=2026-01-31T12:00:00Z&end=2026-01-31T11:00:00Z", -time.Hour, time.Minute}, // the engine refuses it
	} {
		w := get(t, h, "/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29/history"+c.query)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		assert.Equal(t, "checkout/availability (v2)", asked.name)
		assert.Equal(t, c.span, asked.end.Sub(asked.start), c.query)
		assert.Equal(t, c.step, asked.step, c.query)
	}
}
