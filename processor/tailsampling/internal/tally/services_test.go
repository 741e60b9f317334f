package tally

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

func TestServicesAreBounded(t *testing.T) {
	var c Services
	header := func(name string) []byte {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", name)
		rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		var m ptrace.ProtoMarshaler
		b, err := m.MarshalTraces(td)
		require.NoError(t, err)
		var r wire.Request
		require.NoError(t, r.Scan(b))
		return wire.AppendResourceHeader(nil, r.Resources[0].Body.Of(b))
	}
	for i := range maxServices {
		require.NotSame(t, c.Of(header("one more")), c.Of(header(fmt.Sprint(i))))
	}
	require.Same(t, c.Of(header("another")), c.Of(header("yet another")))
	require.Same(t, c.Of(header("5")), c.Of(header("5")))
	known := map[string]bool{}
	for name := range c.All {
		known[name] = true
	}
	require.Len(t, known, maxServices+1)
	require.True(t, known[otherServices])

	var long Services
	require.Same(t, long.Of(header(strings.Repeat("a", maxServiceName+1))), long.Of(header(strings.Repeat("b", 1<<20))))
	require.NotSame(t, long.Of(header(strings.Repeat("a", maxServiceName))), long.Of(header(strings.Repeat("b", maxServiceName))))

	var d Services
	require.Same(t, d.Of(header("")), d.Of(nil))
	for name := range d.All {
		require.Equal(t, unknownService, name)
	}
}
