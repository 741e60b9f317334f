//go:build e2e

package e2e

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// A gateway that is killed repeatedly while one of its two destinations refuses everything loses no span for either: the healthy one
// gets all acknowledged spans of kept traces, and so does the other one when it accepts spans again.
func TestKillNineWithADestinationDown(t *testing.T) {
	t.Parallel()
	dead, healthy := startBackend(t), startBackend(t)
	dead.answer(t,
		rule{Every: 3, Hang: true},
		rule{Every: 2, Code: codes.Unauthenticated, Text: "who are you"},
		away)
	g := startExporting(t, "testdata/sampling.yaml", exporters(
		exporter{id: "otlp_grpc/dead", endpoint: dead.grpc},
		exporter{id: "otlp_http/healthy", endpoint: healthy.http},
	))
	load := startLoad(t, g, 2, 300)
	rng := rand.New(rand.NewPCG(10, 9))
	times := max(6, kills(t)/3)
	for range times {
		time.Sleep(time.Duration(300+rng.IntN(1500)) * time.Millisecond) // a kill at a random moment
		require.NoError(t, g.cmd.Process.Signal(syscall.SIGKILL))
		<-g.done
		g.start(t)
	}
	load.stop()
	dead.answer(t)
	g.awaitSettled(t)
	for name, b := range map[string]*backend{"healthy": healthy, "mended": dead} {
		report := load.compare(t, b.spans(t))
		t.Logf("%d kills: %d spans acknowledged in %d traces, %d traces kept, %d spans delivered more than once to the %s one",
			times, report.acknowledged, report.traces, report.kept, report.repeated, name)
		assert.Zero(t, report.lost, "acknowledged spans of kept traces that never reached the %s backend", name)
		assert.Zero(t, report.unwanted, "spans of traces that no policy keeps, at the %s backend", name)
		assert.Greater(t, report.kept, 20, "too few traces were kept for a comparison")
	}
}
