//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// testClock is a gateway's clock: the file that a binary with the tag testclock reads.
type testClock struct{ path string }

func newTestClock(t *testing.T, content string) testClock {
	c := testClock{filepath.Join(t.TempDir(), "clock.json")}
	c.set(t, content)
	return c
}

func (c testClock) set(t *testing.T, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(c.path+".new", []byte(content), 0o600))
	require.NoError(t, os.Rename(c.path+".new", c.path))
}

func (c testClock) env() string { return "SLOWBURN_TEST_CLOCK=" + c.path }

func buildWithTestClock(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "slowburn")
	out, err := exec.Command("go", "build", "-tags", "testclock", "-o", program, "../../cmd/slowburn").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// A gateway at 60 times its pace decides after a minute's wait in a second, flushes its counts on a grid of ten seconds of
// its own, and notices a jump of its wall clock.
func TestClockRunsAndJumps(t *testing.T) {
	clock := newTestClock(t, `{"rate": 60}`)
	g := startProgram(t, buildWithTestClock(t), []string{clock.env()}, "testdata/minute.yaml")
	sent := time.Now()
	id := sendFailing(t, g, 41)
	g.awaitSettled(t)
	assert.Less(t, time.Since(sent), time.Minute)
	var decision struct {
		First   time.Time `json:"first_span_at"`
		Decided time.Time `json:"decided_at"`
	}
	g.get(t, "/api/sampling/v1/decisions/"+id.String(), &decision)
	assert.GreaterOrEqual(t, decision.Decided.Sub(decision.First), time.Minute)
	assert.Equal(t, spansPerTrace, g.backend.spans(t).SpanCount())

	// flushes counts those of ten hours around an instant.
	flushes := func(at time.Time) float64 {
		return g.query(t, "max(count_over_time(traces_span_metrics_calls_total[10h]))", at.Add(5*time.Hour))
	}
	since := time.Now()
	before := flushes(since)
	require.Eventually(t, func() bool { return flushes(since) >= before+12 }, patience, 50*time.Millisecond, "twelve flushes in two minutes")
	assert.Less(t, time.Since(since), 2*time.Minute)

	assert.Zero(t, flushes(since.Add(25*time.Hour)))
	clock.set(t, `{"rate": 60, "offset": "25h"}`)
	require.Eventually(t, func() bool {
		return strings.Contains(g.readyz(t).message("slo"), "the clock jumped ahead by 25h")
	}, patience, 20*time.Millisecond, "the jump is not told by /readyz")
	sendFailing(t, g, 42) // series without spans for that long have ended
	require.Eventually(t, func() bool { return flushes(since.Add(25*time.Hour)) > 0 }, patience, 50*time.Millisecond,
		"counts are not written at the time to which the clock jumped")
}

func sendFailing(t *testing.T, g *gateway, seed uint64) pcommon.TraceID {
	t.Helper()
	parts := newTraffic(seed).trace(failing, time.Now())
	client := g.client(t)
	for _, td := range parts {
		send(t, client, td)
	}
	return parts[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()
}

// query returns the one value of a PromQL expression at an instant, and 0 where there is none. The API's own default for
// the instant is the machine's time.
func (g *gateway) query(t *testing.T, expression string, at time.Time) float64 {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"` // time, value
			} `json:"result"`
		} `json:"data"`
	}
	g.get(t, fmt.Sprintf("/api/v1/query?query=%s&time=%d", url.QueryEscape(expression), at.Unix()), &answer)
	if len(answer.Data.Result) == 0 {
		return 0
	}
	value, err := strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
	require.NoError(t, err)
	return value
}
