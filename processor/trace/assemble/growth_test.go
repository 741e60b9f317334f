package assemble_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// For any input, assembling a trace takes n log n at most.
func TestNeverMoreThanNLogN(t *testing.T) {
	tracetest.RequireGrowth(t, tracetest.Hostile, 200, func(t *testing.T, td ptrace.Traces) func() {
		body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(t, err)
		return func() {
			var r wire.Request
			var k wire.Kept
			if err := r.Scan(body); err != nil {
				panic(err)
			}
			if _, err := k.Fill(&r); err != nil {
				panic(err)
			}
			if assemble.One(&k, assemble.Options{}) == nil {
				panic("no trace")
			}
		}
	})
}
