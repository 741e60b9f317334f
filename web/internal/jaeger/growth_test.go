package jaeger

import (
	"net/http/httptest"
	"testing"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// written returns the answer for a trace.
func written(t *trace.Trace) []byte {
	w := httptest.NewRecorder()
	p := rest.NewPage(w)
	writeTrace(p, t)
	if err := p.Close(); err != nil {
		panic(err)
	}
	return w.Body.Bytes()
}

// For any trace, the work for its page grows as n log n at most.
func TestNeverMoreThanNLogN(t *testing.T) { webtest.RequireGrowth(t, written) }

func TestPagesAreBounded(t *testing.T) { webtest.RequireBounded(t, "1 texts are cut", written) }
