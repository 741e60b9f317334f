package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// TestNumbers compares OTLP's numbers with pdata's.
func TestNumbers(t *testing.T) {
	for n, kind := range map[int]ptrace.SpanKind{
		wire.KindUnspecified: ptrace.SpanKindUnspecified, wire.KindInternal: ptrace.SpanKindInternal,
		wire.KindServer: ptrace.SpanKindServer, wire.KindClient: ptrace.SpanKindClient,
		wire.KindProducer: ptrace.SpanKindProducer, wire.KindConsumer: ptrace.SpanKindConsumer,
	} {
		assert.Equal(t, int(kind), n, kind.String())
	}
	assert.Empty(t, ptrace.SpanKind(wire.NumKinds).String(), "the first that is not known")
	for n, code := range map[int]ptrace.StatusCode{
		wire.StatusUnset: ptrace.StatusCodeUnset, wire.StatusOK: ptrace.StatusCodeOk, wire.StatusError: ptrace.StatusCodeError,
	} {
		assert.Equal(t, int(code), n, code.String())
	}
	assert.Empty(t, ptrace.StatusCode(wire.NumStatuses).String(), "the first that is not known")
	assert.Equal(t, []int{1, 2, 256, 512}, []int{wire.FlagSampled, wire.FlagRandom, wire.FlagHasIsRemote, wire.FlagIsRemote})
}
