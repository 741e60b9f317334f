//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/web/api"
)

// soon is enough time for a few attempts and the pauses between them.
const soon = time.Minute

// exporter is an exporter behind the sampler.
type exporter struct {
	id       string // its type is otlp_grpc or otlp_http
	endpoint string // host:port
	options  string // more keys, as YAML of one line, such as "timeout: 1s, compression: none"
}

// exporters returns the configuration of the pipeline of kept traces, as an argument of --config.
func exporters(all ...exporter) string {
	ids, configs := []string{"trace_store"}, []string{}
	for _, e := range all {
		endpoint := e.endpoint
		if strings.HasPrefix(e.id, "otlp_http") && !strings.Contains(endpoint, "://") {
			endpoint = "http://" + endpoint
		}
		options := strings.TrimSuffix(e.options, ", ")
		if !strings.Contains(options, "tls:") {
			options += ", tls: {insecure: true}"
		}
		if !strings.Contains(options, "timeout:") {
			options += ", timeout: 2s"
		}
		ids = append(ids, e.id)
		configs = append(configs, fmt.Sprintf("%s: {endpoint: %q, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}, %s}",
			e.id, endpoint, strings.TrimPrefix(options, ", ")))
	}
	return fmt.Sprintf("yaml:{exporters: {%s}, service: {pipelines: {traces/sampled: {exporters: [%s]}}}}",
		strings.Join(configs, ", "), strings.Join(ids, ", "))
}

// startExporting runs the built gateway on config.yaml, testdata/delivery.yaml and more configuration.
func startExporting(t *testing.T, configs ...string) *gateway {
	t.Helper()
	g := newGateway(t, builtGateway(t), nil, append([]string{"testdata/delivery.yaml"}, configs...)...)
	g.start(t)
	return g
}

// restart stops the gateway, and starts it with these additional configurations.
func (g *gateway) restart(t *testing.T, configs ...string) {
	t.Helper()
	g.stop(t)
	for _, config := range configs {
		g.configs = append(g.configs, "--config", config)
	}
	g.start(t)
}

// destinations is the API's list of destinations of kept traces.
type destinations api.Destinations

func (g *gateway) destinations(t *testing.T) (d destinations) {
	t.Helper()
	g.get(t, "/api/sampling/v1/destinations", &d)
	return d
}

func (d destinations) of(t *testing.T, id string) api.Destination {
	t.Helper()
	for _, one := range d.Destinations {
		if one.Destination == id {
			return one
		}
	}
	require.Failf(t, "no such destination", "%s is not in %+v", id, d.Destinations)
	return api.Destination{}
}

// command runs the built binary against the gateway.
func (g *gateway) command(args ...string) (string, error) {
	out, err := exec.Command(g.program, append(args, "--server", "http://"+g.web)...).CombinedOutput()
	return string(out), err
}

// logged returns the gateway's output since its last start.
func (g *gateway) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(g.log)
	require.NoError(t, err)
	return string(text)
}

// traces makes n traces of one kind.
func (g traffic) traces(n int, kind flavour) []ptrace.Traces {
	made := make([]ptrace.Traces, n)
	for i := range made {
		made[i] = merged(g.trace(kind, time.Now())...)
	}
	return made
}

// merged copies all traces into one ptrace.Traces.
func merged(all ...ptrace.Traces) ptrace.Traces {
	into := ptrace.NewTraces()
	for _, td := range all {
		for _, rs := range td.ResourceSpans().All() {
			rs.CopyTo(into.ResourceSpans().AppendEmpty())
		}
	}
	return into
}

// sendAll sends traces, at most a hundred in a request.
func (g *gateway) sendAll(t *testing.T, traces []ptrace.Traces) {
	t.Helper()
	client := g.client(t)
	for len(traces) > 0 {
		n := min(len(traces), 100)
		send(t, client, merged(traces[:n]...))
		traces = traces[n:]
	}
}

func traceID(td ptrace.Traces) pcommon.TraceID {
	return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()
}

// tally counts the copies of each span.
type tally map[pcommon.TraceID]map[pcommon.SpanID]int

func count(all ...ptrace.Traces) tally {
	counts := tally{}
	for _, td := range all {
		each(td, func(span ptrace.Span) {
			if counts[span.TraceID()] == nil {
				counts[span.TraceID()] = map[pcommon.SpanID]int{}
			}
			counts[span.TraceID()][span.SpanID()]++
		})
	}
	return counts
}

// missing returns the numbers of copies that the other tally lacks, and that it has too many of.
func (c tally) missing(other tally) (missing, repeated int) {
	for id, spans := range c {
		for span, n := range spans {
			missing += max(0, n-other[id][span])
			repeated += max(0, other[id][span]-n)
		}
	}
	return missing, repeated
}

// awaitAll waits until the backend has all spans of the traces, and fails the test if it has one of them twice.
func (b *backend) awaitAll(t *testing.T, within time.Duration, sent []ptrace.Traces, tenant ...string) bool {
	t.Helper()
	spans := 0
	for _, td := range sent {
		spans += td.SpanCount()
	}
	want := count(sent...)
	missing, repeated := spans, 0
	for end := time.Now().Add(within); missing > 0 && time.Now().Before(end); <-time.After(200 * time.Millisecond) {
		if b.state(t, tenant...).Spans >= spans {
			missing, repeated = want.missing(count(b.spans(t, tenant...)))
		}
	}
	if missing > 0 {
		missing, repeated = want.missing(count(b.spans(t, tenant...)))
	}
	return assert.True(t, missing == 0 && repeated == 0, "after %s %d of %d spans are missing, %d were sent again, of tenant %q",
		within, missing, spans, repeated, tenant)
}

// awaitDashboard waits until the dashboard shows the traces.
func (g *gateway) awaitDashboard(t *testing.T, within time.Duration, traces []ptrace.Traces) {
	t.Helper()
	started := time.Now()
	shown := 0
	assert.Eventually(t, func() bool {
		for shown < len(traces) && g.shows(t, traceID(traces[shown])) {
			shown++
		}
		return shown == len(traces)
	}, within, 100*time.Millisecond)
	assert.Equal(t, len(traces), shown, "traces that the dashboard shows within %s", within)
	t.Logf("the dashboard shows %d of %d traces after %s", shown, len(traces), time.Since(started).Round(100*time.Millisecond))
}

func (g *gateway) shows(t *testing.T, id pcommon.TraceID) bool {
	t.Helper()
	status, _ := g.request(t, "GET", "/api/traces/v1/traces/"+id.String())
	return status == 200
}
