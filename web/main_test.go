package web

import (
	"io/fs"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/web/internal/reads"
	"github.com/slowburn/slowburn/web/internal/selfmetrics"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

var _ prometheus = (*webtest.Prometheus)(nil)

// handler is the extension's handler with running components, without the Collector's own layers.
func handler(t testing.TB, world webtest.Running, files fs.FS, base string) http.Handler {
	t.Helper()
	h, err := newHandler(world.Components(), unlimited(t), selfmetrics.New(), files, base, zap.NewNop())
	require.NoError(t, err)
	return securityHeaders(h)
}

// served is the same, with pages and at the root.
func served(t testing.TB, world webtest.Running) http.Handler {
	t.Helper()
	return handler(t, world, webtest.Pages, "")
}

// plainHost is a Collector with extensions.
type plainHost map[component.ID]component.Component

func (h plainHost) GetExtensions() map[component.ID]component.Component { return h }

// unlimited returns limits that only tests of the limits reach.
func unlimited(t testing.TB) *reads.Limits {
	t.Helper()
	limits, err := reads.New(reads.Default(), gate.NewSlots(4))
	require.NoError(t, err)
	return limits
}
