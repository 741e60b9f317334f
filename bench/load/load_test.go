package load

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// TestNames holds that as many services and names come out as are asked for, that all else stays, and that without numbers nothing
// has any.
func TestNames(t *testing.T) {
	for _, names := range []Names{{}, {Services: 200}, {Operations: 1000}, {Services: 200, Operations: 1000}} {
		found := map[string]map[string]bool{}
		spans, requests := 200, uint64(150) // enough for each name to come
		if names.Services > 0 {
			spans, requests = 12, 500
		}
		for service := range services {
			tmpl := newTemplate(service, spans, names)
			body := append([]byte(nil), tmpl.body...)
			starts := make([]int64, tmpl.traces)
			for n := range requests {
				tmpl.patch(body, n*uint64(tmpl.traces), starts, Mix{})
				var u ptrace.ProtoUnmarshaler
				td, err := u.UnmarshalTraces(body)
				require.NoError(t, err)
				rs := td.ResourceSpans().At(0)
				name, _ := rs.Resource().Attributes().Get("service.name")
				if found[name.Str()] == nil {
					found[name.Str()] = map[string]bool{}
				}
				for i, span := range rs.ScopeSpans().At(0).Spans().All() {
					found[name.Str()][span.Name()] = true
					id := span.TraceID()
					seq, ok := Sequence(id[:])
					require.True(t, ok)
					require.Equal(t, n*uint64(tmpl.traces)+uint64(tmpl.slots[i].trace), seq)
				}
			}
		}
		wantServices := max(len(services), names.Services)
		assert.Len(t, found, wantServices)
		if names.Operations > 0 && names.Services == 0 {
			for service, operations := range found {
				assert.InDelta(t, names.Operations, len(operations), 2, service)
			}
		}
		if names == (Names{}) {
			for i, service := range services {
				assert.LessOrEqual(t, len(found[service]), spansOf(i))
			}
		}
	}
}

func TestDigits(t *testing.T) {
	dst := []byte("xxxx")
	digits(dst, 73)
	assert.Equal(t, "0073", string(dst))
}
