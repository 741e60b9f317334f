package traces

import (
	"testing"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/web/internal/webtest"
)

// TestMarks: the marks of all scopes are merged, whichever scope has which.
func TestMarks(t *testing.T) {
	linked := webtest.KeptID.String()
	for name, c := range map[string]struct {
		first, second map[string]any
		want          api.Marks
	}{
		"none": {},
		"of different scopes": {
			map[string]any{"tailsampling.linked": linked, "tailsampling.policy": "linked_traces"},
			map[string]any{"tailsampling.revived": true, "slowburn.text.repaired": true},
			api.Marks{Revived: true, LinkedTraceID: linked, TextRepaired: true},
		},
		"the late part says more": {
			map[string]any{"tailsampling.trimmed_spans": 3, "tailsampling.revived": true},
			map[string]any{"tailsampling.trimmed_spans": 7, "tailsampling.revived": false},
			api.Marks{Revived: true, TrimmedSpans: 7},
		},
		"of other types": {first: map[string]any{"tailsampling.trimmed_spans": "many", "tailsampling.revived": "no"}},
	} {
		t.Run(name, func(t *testing.T) {
			var id pcommon.TraceID
			world := webtest.Everything()
			for traceID, td := range world.Pipelines["trace_store"].(*webtest.Store).Traces {
				id = traceID
				for i, marks := range []map[string]any{c.first, c.second} {
					assert.NoError(t, td.ResourceSpans().At(i).ScopeSpans().At(0).Scope().Attributes().FromRaw(marks))
				}
			}
			w := webtest.Get(t, served(world), "/api/traces/v1/traces/"+id.String())
			assert.Equal(t, c.want, webtest.Decode[api.Trace](t, w).Marks)
		})
	}
}
