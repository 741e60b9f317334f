//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
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

	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/web/api"
)

// testClock is the file that sets the clock of a binary with the build tag testclock.
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
	out, err := exec.Command("go", "build", "-C", "../..", "-tags", "testclock", "-o", program, "./cmd/slowburn").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// A gateway whose clock runs 60 times as fast decides after a wait of a minute in a second, flushes its counts every ten seconds of its
// clock, and detects a jump of the wall clock.
func TestClockRunsAndJumps(t *testing.T) {
	clock := newTestClock(t, `{"rate": 60}`)
	g := startProgram(t, buildWithTestClock(t), []string{clock.env()}, "testdata/minute.yaml")
	sent := time.Now()
	id := sendFailing(t, g, 41)
	g.awaitSettled(t)
	assert.Less(t, time.Since(sent), time.Minute)
	var decision api.Decision
	g.get(t, "/api/sampling/v1/decisions/"+id.String(), &decision)
	assert.GreaterOrEqual(t, decision.DecidedAt.Sub(*decision.FirstSpanAt), time.Minute)
	assert.Equal(t, spansPerTrace, g.backend.spans(t).SpanCount())

	// flushes returns the number of flushes in the ten hours around an instant.
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
		return strings.Contains(g.readyz(t).message("clock"), "the machine's clock jumped ahead by 25h")
	}, patience, 20*time.Millisecond, "/readyz does not report the jump")
	require.Eventually(t, func() bool { return g.readyz(t).message("clock") == "" }, patience, 50*time.Millisecond,
		"the gateway does not trust the new time")
	sendFailing(t, g, 42) // series without spans for so long have ended
	require.Eventually(t, func() bool { return flushes(since.Add(25*time.Hour)) > 0 }, patience, 50*time.Millisecond,
		"counts are not written at the time after the jump")
}

// rightWithin is the time after which pages and alerts are correct once the clock that a gateway trusts is within 2 s of the true one.
const rightWithin = 2 * time.Minute

// A clock that jumps for a while changes nothing, and the gateway follows one that stays: no count is lost, no kept trace is evicted, and
// an outage pages. Pages and alerts are correct within rightWithin after the gateway trusts the true time again. Its clock runs 60 times
// as fast, and 6 times while that is measured, so that the machine's load does not matter.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	program := buildWithTestClock(t)
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 25 * time.Hour, -25 * time.Hour, 400 * day, -400 * day} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			hook := &webhook{}
			server := httptest.NewServer(hook)
			defer server.Close()
			clock := newTestClock(t, `{"rate": 60}`)
			g := startProgram(t, program, []string{clock.env(), "E2E_WEBHOOK=" + server.URL}, "testdata/sampling.yaml", "testdata/objective.yaml", "testdata/by-arrival.yaml")
			total, bad := 0, 0
			send := func(requests, failing int) {
				g.requests(t, requests, failing)
				total, bad = total+requests, bad+failing
			}
			until := func(what string, met func() bool) {
				t.Helper()
				require.Eventually(t, met, patience, 50*time.Millisecond, what)
			}
			doubted := func(by string) func() bool {
				return func() bool {
					return by != "" == strings.Contains(g.readyz(t).message("clock"), "the machine's clock jumped "+by)
				}
			}
			setAt := func(rate int, offset time.Duration) {
				clock.set(t, fmt.Sprintf(`{"rate": %d, "offset": %q}`, rate, offset))
			}
			set := func(offset time.Duration) { setAt(60, offset) }
			believed := func() bool { return g.readyz(t).message("clock") == "" }
			// outage sends failing requests as soon as the gateway trusts the clock, and checks the counts and the alert.
			outage := func(offset time.Duration) {
				t.Helper()
				const slow = 6
				until("the gateway does not trust the clock", believed)
				setAt(slow, offset)
				send(400, 120)
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					o := g.objective(t)
					assert.EqualValues(c, total, o.Events.Total)
					assert.EqualValues(c, bad, o.Events.Bad)
					assert.Equal(c, alert.Firing, o.Alert.State)
				}, rightWithin/slow, 200*time.Millisecond, "an outage is not reported within %s", rightWithin)
				set(offset)
			}
			direction := "ahead by " + jump.String()
			if jump < 0 {
				direction = "back by " + (-jump).String()
			}
			id := sendFailing(t, g, 43)
			send(100, 1)
			g.awaitLedger(t, total, bad)
			for _, lasts := range []time.Duration{45 * time.Second, 10 * time.Minute} {
				set(jump)
				until("the doubt is not reported", doubted(direction))
				send(100, 1)
				time.Sleep(lasts / 60)
				require.NotEqual(t, alert.Firing, g.objective(t).Alert.State)
				set(0)
				outage(0)
				require.True(t, g.shows(t, id), "a kept trace is evicted")
				until("the alert does not end with the outage", func() bool {
					send(100, 0)
					return g.objective(t).Alert.State != alert.Firing
				})
			}

			set(jump)
			until("the doubt is not reported", doubted(direction))
			send(100, 1)
			until("the gateway does not trust the clock", believed)
			if jump > 30*day { // earlier counts are older than the objective's window
				total, bad = 0, 0
			}
			outage(jump)
			if jump < day {
				require.True(t, g.shows(t, id), "a kept trace is evicted")
			}
		})
	}
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

// query returns the value of a PromQL expression at an instant, and 0 if it has none. Without an instant the API would use the machine's
// time.
func (g *gateway) query(t *testing.T, expression string, at time.Time) float64 {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"` // time, value
			} `json:"result"`
		} `json:"data"`
	}
	path := fmt.Sprintf("/api/v1/query?query=%s&time=%d", url.QueryEscape(expression), at.Unix())
	status, body := g.request(t, http.MethodGet, path)
	require.Equal(t, http.StatusOK, status, "%s: %s", path, body)
	require.NoError(t, json.Unmarshal(body, &answer), "%s: %s", path, body)
	if len(answer.Data.Result) == 0 {
		return 0
	}
	value, err := strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
	require.NoError(t, err)
	return value
}
