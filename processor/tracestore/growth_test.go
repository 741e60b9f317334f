package tracestore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

// For any input, preparing a trace for storage takes n log n at most, and the data beside its spans are bounded.
func TestNeverMoreThanNLogN(t *testing.T) {
	tracetest.RequireGrowth(t, tracetest.Hostile, 150, func(t *testing.T, td ptrace.Traces) func() {
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
			p := preparation{kept: &k, now: time.Unix(1, 0)}
			item, err := p.item(0)
			if err != nil {
				panic(err)
			}
			p.release()
			if header := len(record.Append(nil, &item.Header, nil)); header > 256<<10 {
				t.Errorf("%d bytes of header", header)
			}
		}
	})
}
