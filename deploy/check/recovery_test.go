//go:build deploy

package check

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// longWait keeps spans undecided for as long as a test takes.
const longWait = "yaml:processors::tail_sampling::decision_wait: 1h"

// samplingStatus is some of what GET /api/sampling/v1/status says.
type samplingStatus struct {
	Pending   int   `json:"traces_pending"`
	Recovered int   `json:"recovered_spans"`
	Lost      int   `json:"lost_spans"`
	Disk      int64 `json:"disk_bytes"`
}

func sampling(t *testing.T) (s samplingStatus) {
	t.Helper()
	a := ask("http://127.0.0.1:8080/api/sampling/v1/status")
	require.Equal(t, http.StatusOK, a.status, a.text)
	require.NoError(t, json.Unmarshal([]byte(a.text), &s))
	return s
}

// TestImageKilledInRecovery: kill -9 at several moments of a start that reads some hundred MB back, each before the gateway is ready,
// costs nothing: the next start that is let has every span, and each trace is delivered.
func TestImageKilledInRecovery(t *testing.T) {
	const requests, perRequest, size, least = 64, 20, 160 << 10, 200 << 20
	p := container(t, volume(t))
	p.args = append(p.args, "--config", longWait)
	g := start(t, p)
	g.ready(t)
	var ids []string
	for range requests {
		var spans []string
		for range perRequest {
			id := newTraceID()
			ids = append(ids, id)
			spans = append(spans, failed(id, "00000000000000aa", size))
		}
		a := export(spans...)
		require.True(t, a.acknowledged(), "%+v", a)
	}
	before := sampling(t)
	require.Equal(t, len(ids), before.Pending)
	require.Greater(t, before.Disk, int64(least))
	g.kill(t)

	g = start(t, p)
	began := g.began(t)
	g.ready(t)
	took := time.Since(began)
	require.Equal(t, len(ids), sampling(t).Recovered)
	g.kill(t)

	const kills = 8
	reading := 0 // of the kills, those that came once the gateway was about to read, and before it was ready
	for early := 0; early < kills; {
		g = start(t, p)
		g.began(t)
		<-time.After(took * time.Duration(early+1) / (kills + 1)) // the moment is what is tested
		if status("http://127.0.0.1:8080/readyz") == http.StatusOK {
			took /= 2 // this machine is faster now
		} else {
			early++
			if g.said(t, "trace store working") { // which starts before the span log
				reading++
			}
		}
		g.kill(t)
	}
	require.Positive(t, reading, "every kill came before the span log was opened")

	g = start(t, p)
	g.ready(t)
	after := sampling(t)
	assert.Equal(t, len(ids), after.Recovered)
	assert.Equal(t, len(ids), after.Pending)
	assert.Zero(t, after.Lost)
	drain := p
	drain.args = []string{"/usr/bin/slowburn", "drain"}
	draining := start(t, drain)
	await(t, "slowburn drain to end", draining.ended)
	require.Zero(t, draining.cmd.ProcessState.ExitCode())
	for _, id := range ids {
		require.Equal(t, http.StatusOK, status("http://127.0.0.1:8080/api/traces/v1/traces/"+id))
	}
	t.Logf("%d MB, %d kills before the gateway was ready, %d of them while it read, %d traces, none lost", before.Disk>>20, kills, reading, len(ids))
}

// TestImageSecond: a second gateway on a volume that is in use, as of two pods with one claim, ends at once and says which process has it,
// where, since when, and what to set; so does one that shares only the span log. The first goes on.
func TestImageSecond(t *testing.T) {
	shared := volume(t)
	p := container(t, shared)
	g := start(t, p)
	g.ready(t)
	ports := `yaml:{receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}, ` +
		`extensions: {web: {endpoint: "127.0.0.1:0"}}, service: {telemetry: {metrics: {level: none, readers: []}}}}`
	for name, test := range map[string]struct {
		config, dataDir string
		says            string
	}{
		"the volume": {
			"yaml:{}", "/var/lib/slowburn",
			`SLOWBURN_DATA_DIR: /var/lib/slowburn is in use by another process \(pid \d+ on host \S+, since \S+Z\): stop that one, or set SLOWBURN_DATA_DIR`,
		},
		"the span log": {
			"yaml:{processors: {tail_sampling: {directory: /var/lib/slowburn/spans}}}", "/var/lib/slowburn/second",
			`/var/lib/slowburn/spans is in use by another process \(pid \d+\): stop that, or give this one another directory`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			second := container(t, shared)
			second.args = append(second.args, "--config", ports, "--config", test.config)
			second.env = append(second.env, "SLOWBURN_DATA_DIR="+test.dataDir)
			s := start(t, second)
			await(t, "the second gateway to end", s.ended)
			assert.Equal(t, 1, s.cmd.ProcessState.ExitCode())
			text, err := os.ReadFile(s.log)
			require.NoError(t, err)
			assert.Regexp(t, test.says, string(text))
		})
	}
	id := newTraceID()
	require.True(t, send(id))
	kept(t, id)
	assert.Equal(t, http.StatusOK, status("http://127.0.0.1:8080/readyz"))
}
