package traces

import (
	"testing"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func aPage(found *trace.Trace) (any, []string) {
	page := viewTrace(found, tracestore.Meta{}, nil)
	return page, page.Warnings
}

// Whatever a trace is, its page takes no more than n log n.
func TestNeverMoreThanNLogN(t *testing.T) { webtest.RequireGrowth(t, aPage) }

func TestPagesAreBounded(t *testing.T) {
	webtest.RequireBounded(t, "are left out here: an answer has at most 32 MiB", aPage)
}
