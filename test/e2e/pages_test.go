//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/demo/shop"
	"github.com/slowburn/slowburn/web/api"
)

// Opens the pages in a real browser, with the spans of the simulated shop: browser/pages.mjs checks them.
func TestPages(t *testing.T) {
	g := startGateway(t, []string{"SLOWBURN_DEMO_WEBHOOK=http://" + freePort(t)}, "testdata/sampling.yaml", "testdata/shadow.yaml",
		"../../demo/slowburn.yaml")
	s, err := shop.New(t.Context(), g.grpc)
	require.NoError(t, err)
	for _, fault := range []shop.Fault{shop.Errors, shop.SkewedClock, shop.Latency} {
		s.Faults.Set(fault, true)
	}
	ctx, cancel := context.WithCancel(t.Context())
	shopping := make(chan struct{})
	go func() {
		defer close(shopping)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			<-ticker.C
			_, _ = s.Visit(context.WithoutCancel(ctx)) // errors are expected: faults are on
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-shopping
		require.NoError(t, s.Close(context.WithoutCancel(ctx)))
	})

	require.Eventually(t, func() bool {
		var page api.TracePage
		g.get(t, "/api/traces/v1/search?error=true", &page)
		var objectives api.Objectives
		g.get(t, "/api/slo/v1/objectives", &objectives)
		burning := false
		for _, o := range objectives.Objectives {
			burning = burning || o.Events.Bad > 0
		}
		return len(page.Traces) > 0 && burning
	}, patience, time.Second, "no failed trace, or no objective burns its budget")

	artifacts, err := filepath.Abs("artifacts")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(artifacts, 0o750))
	browse := exec.CommandContext(t.Context(), "node", "pages.mjs", "http://"+g.web, artifacts)
	browse.Dir = "browser"
	out, err := browse.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
