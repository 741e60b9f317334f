package describe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// header returns the header of a resource with string attributes, written key=value.
func header(t *testing.T, attributes ...string) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	r := td.ResourceSpans().AppendEmpty().Resource()
	for _, a := range attributes {
		key, value, _ := strings.Cut(a, "=")
		r.Attributes().PutStr(key, value)
	}
	request := scanned(t, td)
	return wire.AppendResourceHeader(nil, request.Resources[0].Body.Of(request.Bytes))
}

func scanned(t *testing.T, td ptrace.Traces) *wire.Request {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	var request wire.Request
	require.NoError(t, request.Scan(b))
	return &request
}

func TestResource(t *testing.T) {
	for attributes, want := range map[string]trace.Resource{
		"":                                        {Service: "unknown_service", ClockName: "unknown_service"},
		"service.name=shop":                       {Service: "shop", ClockName: "shop"},
		"service.name=shop process.pid=1":         {Service: "shop", ClockName: "shop"},
		"service.name=shop host.name=h1":          {Service: "shop", Clock: "service.name=4:shop;host.name=2:h1;", ClockName: "shop @ h1"},
		"service.name=shop service.instance.id=":  {Service: "shop", ClockName: "shop"},
		"k8s.pod.uid=p container.id=c host.id=h":  {Service: "unknown_service", Clock: "k8s.pod.uid=1:p;container.id=1:c;host.id=1:h;", ClockName: "unknown_service @ p"},
		"process.pid=7 host.name=h service.name=": {Service: "unknown_service", Clock: "host.name=1:h;process.pid=1:7;", ClockName: "unknown_service @ h"},
		"service.namespace=n service.name=s service.instance.id=i host.name=h": {
			Service: "s", Clock: "service.namespace=1:n;service.name=1:s;service.instance.id=1:i;host.name=1:h;", ClockName: "s @ i",
		},
	} {
		got := *Resource(header(t, strings.Fields(attributes)...))
		got.Text, got.Header = "", nil
		require.Equal(t, want, got, attributes)
	}
}

// Equal resources have equal texts, whatever the order of their attributes, and others have different ones.
func TestTextOfResources(t *testing.T) {
	text := func(attributes ...string) string { return Resource(header(t, attributes...)).Text }
	shop := text("service.name=shop", "host.name=h")
	require.Equal(t, shop, text("host.name=h", "service.name=shop"))
	for _, other := range [][]string{
		{"service.name=shop"}, {"service.name=shop", "host.name=h", "x=y"}, {"service.name=h", "host.name=shop"},
	} {
		require.NotEqual(t, shop, text(other...))
	}
}

func TestScope(t *testing.T) {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	ss.Scope().SetName("http")
	ss.Scope().SetVersion("1")
	ss.Scope().Attributes().PutStr("other", "x")
	read := func() trace.Scope {
		request := scanned(t, td)
		got := *Scope(wire.AppendScopeHeader(nil, request.Scopes[0].Body.Of(request.Bytes)))
		got.Header = nil
		return got
	}
	require.Equal(t, trace.Scope{Name: "http", Version: "1"}, read())
	ss.Scope().Attributes().PutStr("tailsampling.policy", "slow")
	ss.Scope().Attributes().PutBool("tailsampling.cached_decision", true)
	require.Equal(t, trace.Scope{Name: "http", Version: "1", Policy: "slow", Late: true}, read())
}

func TestMarks(t *testing.T) {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	read := func() (string, bool) {
		request := scanned(t, td)
		return Marks(request.Spans[0].Body.Of(request.Bytes))
	}
	span.Attributes().PutStr("tail", "x")
	span.Attributes().PutStr("", "x")
	policy, late := read()
	require.Empty(t, policy)
	require.False(t, late)
	span.Attributes().PutStr("tailsampling.policy", "slow")
	span.Attributes().PutBool("tailsampling.cached_decision", true)
	policy, late = read()
	require.Equal(t, "slow", policy)
	require.True(t, late)
}

func TestOurs(t *testing.T) {
	for key, want := range map[string]bool{
		"tailsampling.policy": true, "slowburn.span.flags": true, "tailsampling": false, "slowburn": false, "": false, "x.slowburn.y": false,
	} {
		require.Equal(t, want, Ours(key), key)
	}
}

// Maps with equal texts are equal: neither types nor the ends of entries are ambiguous.
func TestMapsThatDifferHaveOtherTexts(t *testing.T) {
	maps := map[string]map[string]any{
		"empty": {}, "string": {"a": "1"}, "int": {"a": int64(1)}, "float": {"a": 1.0}, "bool": {"a": true}, "text of a bool": {"a": "true"},
		"two": {"a": "1", "b": "2"}, "swapped": {"a": "2", "b": "1"}, "in the value": {"a": "11:b2:112"}, "in the key": {"a1": ""},
		"nothing": {"a": ""}, "list": {"a": []any{"1"}}, "text of a list": {"a": `["1"]`},
	}
	texts := make(map[string]string)
	for name, raw := range maps {
		text := textOf(t, func(m pcommon.Map) { require.NoError(t, m.FromRaw(raw)) })
		require.NotContains(t, texts, text, "%s", name)
		texts[text] = name
	}
	require.Equal(t, "two", texts[textOf(t, func(m pcommon.Map) {
		m.PutStr("b", "2")
		m.PutStr("a", "1")
	})])
}

func textOf(t *testing.T, fill func(pcommon.Map)) string {
	td := ptrace.NewTraces()
	fill(td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes())
	request := scanned(t, td)
	return Text(wire.SpanAttributes(request.Spans[0].Body.Of(request.Bytes)))
}
