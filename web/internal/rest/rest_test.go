package rest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseTraceID(t *testing.T) {
	for text, want := range map[string]pcommon.TraceID{
		webtest.ExampleHex:                 webtest.ExampleID,
		"00000000000000AB":                 webtest.ExampleID,
		"0102030405060708090A0b0c0d0e0f10": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	} {
		got, err := rest.ParseTraceID(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "ab", "xx", webtest.ExampleHex + "00", webtest.ExampleHex[1:] + "g"} {
		_, err := rest.ParseTraceID(text)
		assert.ErrorContains(t, err, "32 hexadecimal digits", text)
	}
}

// exact is the largest integer that a double distinguishes from its neighbours.
const exact = 1 << 53

func TestIntegers(t *testing.T) {
	for n, want := range map[int64]string{exact: "9007199254740992", exact + 1: `"9007199254740993"`, -exact: "-9007199254740992", -exact - 1: `"-9007199254740993"`} {
		m := pcommon.NewMap()
		m.PutInt("n", n)
		assert.Equal(t, `{"n":`+want+`}`, attributesOf(t, m))
	}
}

// attributesOf returns attributes as JSON, followed by those of others.
func attributesOf(t *testing.T, m pcommon.Map, others ...rest.Attribute) string {
	t.Helper()
	w := httptest.NewRecorder()
	p := rest.NewPage(w)
	p.Attributes(wire.SpanAttributes(spanOf(t, m)), others...)
	require.NoError(t, p.Close())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	return w.Body.String()
}

// spanOf returns the body of a Span message with attributes.
func spanOf(t *testing.T, m pcommon.Map) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	m.CopyTo(s.Attributes())
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(body))
	return r.Spans[0].Body.Of(body)
}

func TestAttributes(t *testing.T) {
	m := pcommon.NewMap()
	m.PutDouble("nan", math.NaN())
	m.PutDouble("half", 0.5)
	m.PutEmpty("empty")
	m.PutStr("<é\xff>", "a\nb</script>")
	list := m.PutEmptySlice("list")
	list.AppendEmpty().SetDouble(math.Inf(1))
	list.AppendEmpty().SetDouble(math.Inf(-1))
	list.AppendEmpty()
	inner := m.PutEmptyMap("map")
	inner.PutEmptyBytes("raw").FromRaw([]byte{1})
	inner.PutBool("half", true)
	assert.Equal(t, `{"nan":"NaN","half":0.5,"empty":null,"\u003cé\ufffd\u003e":"a\nb\u003c/script\u003e",`+
		`"list":["+Inf","-Inf",null],"map":{"raw":"AQ==","half":true}}`, attributesOf(t, m))
}

// Of duplicate keys the first counts, however many there are, and those of others come last.
func TestDuplicateKeys(t *testing.T) {
	for _, n := range []int{1, 15, 16, 17, 1000} {
		var span []byte
		for range 2 {
			m := pcommon.NewMap()
			for i := range n {
				m.PutInt(strconv.Itoa(i), int64(i+len(span)))
			}
			span = append(span, spanOf(t, m)...)
		}
		w := httptest.NewRecorder()
		p := rest.NewPage(w)
		for range 2 { // the second reuses the memory of the first
			w.Body.Reset()
			p.Attributes(wire.SpanAttributes(span), rest.Attribute{Key: []byte("0")}, rest.Attribute{Key: []byte("other")})
			require.NoError(t, p.Close())
		}
		var got map[string]any
		require.NoError(t, json.Unmarshal(bytes.TrimPrefix(w.Body.Bytes(), []byte(",")), &got))
		assert.Len(t, got, n+1)
		assert.EqualValues(t, n-1, got[strconv.Itoa(n-1)])
		assert.Equal(t, n+1, strings.Count(w.Body.String(), ":"))
	}
}

// The number of an object's keys is bounded, enclosing objects included.
func TestKeysAreBounded(t *testing.T) {
	m := pcommon.NewMap()
	for i := range 10_000 {
		m.PutInt("outer "+strconv.Itoa(i), 0)
	}
	inner := m.PutEmptyMap("inner")
	for i := range 10_000 {
		inner.PutInt("inner "+strconv.Itoa(i), 0)
	}
	w := httptest.NewRecorder()
	p := rest.NewPage(w)
	p.Attributes(wire.SpanAttributes(spanOf(t, m)))
	p.Attributes(wire.SpanAttributes(spanOf(t, m)))
	require.NoError(t, p.Close())
	assert.Equal(t, 2*16<<10, strings.Count(w.Body.String(), ":"))
	assert.Contains(t, p.Warnings()[0], strconv.Itoa(2*(20_001-16<<10))+" attributes, events and links are left out")
}

// The answer ends when the client disconnects.
func TestPageEnds(t *testing.T) {
	p := rest.NewPage(broken{httptest.NewRecorder()})
	p.Array(func() {
		for range 100_000 {
			p.Plain("a text")
		}
	})
	require.ErrorIs(t, p.Err(), http.ErrHandlerTimeout)
	require.ErrorIs(t, p.Close(), http.ErrHandlerTimeout)
}

type broken struct{ http.ResponseWriter }

func (broken) Write([]byte) (int, error) { return 0, http.ErrHandlerTimeout }

func TestParams(t *testing.T) {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	read := func(query string) (*rest.Params, url.Values) {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		return &rest.Params{Values: values}, values
	}
	p, _ := read("t=2026-01-31T12:00:00Z&d=1.5s&zero=0s&least=1&most=9&yes=true&no=0")
	p.Only("t", "d", "zero", "least", "most", "yes", "no")
	assert.True(t, noon.Equal(p.Time("t", time.Time{})))
	assert.Equal(t, noon, p.Time("absent", noon))
	assert.Equal(t, 1500*time.Millisecond, p.Duration("d"))
	assert.Zero(t, p.Duration("zero"))
	assert.Zero(t, p.Duration("absent"))
	assert.Equal(t, 1, p.Integer("least", 5, 1, 9))
	assert.Equal(t, 9, p.Integer("most", 5, 1, 9))
	assert.Equal(t, 5, p.Integer("absent", 5, 1, 9))
	assert.Nil(t, p.Boolean("absent"))
	assert.True(t, *p.Boolean("yes"))
	assert.False(t, *p.Boolean("no"))
	require.NoError(t, p.Err)

	for query, c := range map[string]struct {
		read func(*rest.Params)
		want string
	}{
		"x=1&a=1":      {func(p *rest.Params) { p.Only("a", "b") }, `there is no parameter "x": there are a, b`},
		"x=1&y=1":      {func(p *rest.Params) { p.Only("a") }, `there is no parameter "x"`},
		"t=noon":       {func(p *rest.Params) { p.Time("t", noon) }, "t=noon: it must be a time such as"},
		"d=-1s":        {func(p *rest.Params) { p.Duration("d") }, "d=-1s: it must be a duration"},
		"d=5":          {func(p *rest.Params) { p.Duration("d") }, "d=5: it must be a duration"},
		"n=0":          {func(p *rest.Params) { p.Integer("n", 5, 1, 9) }, "n=0: it must be a whole number from 1 to 9"},
		"n=10":         {func(p *rest.Params) { p.Integer("n", 5, 1, 9) }, "n=10: it must be"},
		"n=x":          {func(p *rest.Params) { p.Integer("n", 5, 1, 9) }, "n=x: it must be"},
		"b=maybe":      {func(p *rest.Params) { p.Boolean("b") }, "b=maybe: it must be true or false"},
		"d=x&n=0&also": {func(p *rest.Params) { p.Duration("d"); p.Integer("n", 5, 1, 9); p.Only() }, "d=x"}, // the first
	} {
		p, _ := read(query)
		c.read(p)
		require.ErrorContains(t, p.Err, c.want, query)
	}
}

// TestPathParam: an escaped parameter is unescaped once.
func TestPathParam(t *testing.T) {
	r := chi.NewRouter()
	r.Get("/of/{name}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(rest.PathParam(r, "name"))) })
	for target, want := range map[string]string{
		"/of/a": "a", "/of/a%2Fb": "a/b", "/of/a%20b": "a b", "/of/50%25": "50%", "/of/a%2F50%2525": "a/50%25",
	} {
		assert.Equal(t, want, webtest.Get(t, r, target).Body.String(), target)
	}
}

func TestNotAllowed(t *testing.T) {
	w := webtest.Ask(t, rest.NotAllowed(rest.WriteProblem, http.MethodGet, http.MethodHead), http.MethodPut, "/x")
	webtest.RequireProblem(t, w, http.StatusMethodNotAllowed, "PUT cannot be used on /x: use GET.")
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}

func TestProblemsAreBrief(t *testing.T) {
	w := httptest.NewRecorder()
	rest.WriteProblem(w, http.StatusBadRequest, "There is no %s.", strings.Repeat("\x00", 1<<20))
	assert.Less(t, w.Body.Len(), 8<<10)
	assert.Contains(t, w.Body.String(), "bytes more)")
}

func TestWriteJSON(t *testing.T) {
	w := httptest.NewRecorder()
	rest.WriteJSON(w, map[string]int{"a": 1})
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, `{"a":1}`, w.Body.String())

	w = httptest.NewRecorder()
	w.Header().Set("ETag", `"x"`)
	w.Header().Set("Content-Length", "5")
	rest.WriteJSON(w, unwritable{})
	webtest.RequireProblem(t, w, http.StatusInternalServerError, "no form")
	assert.Empty(t, w.Header().Get("ETag"), "of the answer that it is not")
	assert.Empty(t, w.Header().Get("Content-Length"))
}

type unwritable struct{}

func (unwritable) MarshalJSON() ([]byte, error) { return nil, errors.New("no form") }
