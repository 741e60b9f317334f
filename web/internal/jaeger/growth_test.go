package jaeger

import (
	"testing"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func aPage(found *trace.Trace) (any, []string) {
	view := new(page).trace(found)
	return view, view.Warnings
}

// Whatever a trace is, its page takes no more than n log n.
func TestNeverMoreThanNLogN(t *testing.T) { webtest.RequireGrowth(t, aPage) }

func TestPagesAreBounded(t *testing.T) { webtest.RequireBounded(t, "1 texts are cut", aPage) }
