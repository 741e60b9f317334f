package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/slowburn/slowburn/bench/proc"
	"github.com/slowburn/slowburn/bench/sink"
)

// The load of --suite objectives: each objective has seriesPerObjective series of events, half of them of bad ones.
const (
	benchObjectives    = 1000
	seriesPerObjective = 16
	operations         = 4
	versions           = seriesPerObjective / 2 / operations
	// settling is how long evaluations settle before the first window: the first has the births of all series to read.
	settling = 3 * time.Minute
)

// objectives measures what a thousand objectives cost while no spans come: counts are sent, evaluated and stored all the same. A
// window has at least two evaluations.
func (o options) objectives(ctx context.Context, dir string) error {
	t, err := o.target("slowburn")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "building the target")
	if err := build(ctx, dir, []target{t}); err != nil {
		return err
	}
	config := filepath.Join(dir, "objectives.yaml")
	if err := os.WriteFile(config, []byte(objectivesConfig()), 0o600); err != nil {
		return err
	}
	t.configs = append(append([]string{}, t.configs...), config)
	backend, err := sink.Start(ctx)
	if err != nil {
		return err
	}
	defer backend.Stop()
	s := o.base()
	s.wait, s.revive = 5*time.Second, 5*time.Second
	process, err := t.start(ctx, dir, backend.Endpoint(), s)
	if err != nil {
		return err
	}
	defer process.stop()
	for range 2 { // a counter that was born with its events is read by its births, and afterwards by its differences
		if err := sendObjectives(ctx, process.http); err != nil {
			return err
		}
		if err := pause(ctx, 15*time.Second); err != nil {
			return err
		}
	}
	if err := pause(ctx, settling); err != nil {
		return err
	}
	window := max(o.window, 2*time.Minute)
	fmt.Printf("%d objectives with %d series of events, no spans, windows of %v\n\n", benchObjectives, benchObjectives*seriesPerObjective, window)
	fmt.Println("| CPU-s per minute | RSS, MB | anonymous, MB | overview of 100 rows, kB | ms |")
	fmt.Println("|---|---|---|---|---|")
	for range o.runs {
		before, err := proc.CPUTime(process.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if err := pause(ctx, window); err != nil {
			return err
		}
		after, err := proc.CPUTime(process.cmd.Process.Pid)
		if err != nil {
			return err
		}
		memory, err := proc.Resident(process.cmd.Process.Pid)
		if err != nil {
			return err
		}
		size, took, err := overview(ctx, process.web)
		if err != nil {
			return err
		}
		fmt.Printf("| %.2f | %.0f | %.0f | %.1f | %.1f |\n", (after-before).Seconds()/window.Minutes(), float64(memory.Total)/1e6,
			float64(memory.Anonymous)/1e6, float64(size)/1e3, float64(took.Microseconds())/1e3)
	}
	return process.failure()
}

// overview returns the size of a page of the overview, and how long the fastest of ten takes.
func overview(ctx context.Context, address string) (size int, fastest time.Duration, err error) {
	for i := range 10 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/slo/v1/overview", nil)
		if err != nil {
			return 0, 0, err
		}
		req.Header.Set("Accept-Encoding", "identity")
		began := time.Now()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, 0, err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return 0, 0, err
		}
		if resp.StatusCode != http.StatusOK {
			return 0, 0, fmt.Errorf("the overview was answered %s: %s", resp.Status, body)
		}
		if took := time.Since(began); i == 0 || took < fastest {
			fastest = took
		}
		size = len(body)
	}
	return size, fastest, nil
}

// objectivesConfig returns a configuration with an objective for each service, beside the shipped ones.
func objectivesConfig() string {
	var b strings.Builder
	b.WriteString("extensions:\n  web: {endpoint: \"${env:BENCH_WEB}\"}\n  slo:\n    objectives:\n")
	for i := range benchObjectives {
		fmt.Fprintf(&b, "      - {name: service-%04d-availability, target: 99.9, window: 30d, availability: {service: service-%04d, kind: server}}\n", i, i)
	}
	return b.String()
}

// sendObjectives sends a good and a bad span of each operation and version of each service.
func sendObjectives(ctx context.Context, address string) error {
	const perRequest = 100 // services
	id := uint64(time.Now().UnixNano())
	for first := 0; first < benchObjectives; first += perRequest {
		traces := ptrace.NewTraces()
		now := time.Now()
		for service := first; service < first+perRequest; service++ {
			for version := range versions {
				rs := traces.ResourceSpans().AppendEmpty()
				rs.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%04d", service))
				rs.Resource().Attributes().PutStr("service.version", fmt.Sprint(version))
				spans := rs.ScopeSpans().AppendEmpty().Spans()
				for i := range 2 * operations {
					id++
					span := spans.AppendEmpty()
					span.SetTraceID(pcommon.TraceID{0xb0, byte(id >> 40), byte(id >> 32), byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id), 15: 1})
					span.SetSpanID(pcommon.SpanID{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id), 7: 1})
					span.SetKind(ptrace.SpanKindServer)
					span.SetName(fmt.Sprintf("operation %d", i/2))
					span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Millisecond)))
					span.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
					if i%2 == 1 {
						span.Status().SetCode(ptrace.StatusCodeError)
					}
				}
			}
		}
		body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/traces", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("spans were answered %s", resp.Status)
		}
	}
	return nil
}
