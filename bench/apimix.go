package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/slowburn/slowburn/bench/load"
	"github.com/slowburn/slowburn/bench/proc"
	"github.com/slowburn/slowburn/bench/sink"
)

// question is the most costly known request of an endpoint.
type question struct{ name, path, query string }

// largeTrace is the ID of the largest trace that is requested.
var largeTrace = pcommon.TraceID{0xa9, 0x1, 15: 1}

// largeSpans is how many spans it has.
const largeSpans = 20_000

// questions returns a question for each endpoint of a gateway that has run for the length of a bench.
func questions(now time.Time) []question {
	q := func(name, path string, parameters ...string) question {
		values := url.Values{}
		for i := 0; i < len(parameters); i += 2 {
			values.Add(parameters[i], parameters[i+1])
		}
		return question{name, path, values.Encode()}
	}
	start, end := fmt.Sprint(now.Add(-11_000*time.Second).Unix()), fmt.Sprint(now.Unix())
	ranged := func(name, expr string) question {
		return q(name, "/api/v1/query_range", "query", expr, "start", start, "end", end, "step", "1")
	}
	deep := strings.Repeat("(", 64) + strings.Repeat("some_rather_long_name + ", 200) + "1" + strings.Repeat(")", 64)
	return []question{
		q("query, a subquery of 49,000,000 steps", "/api/v1/query", "query", "count_over_time(vector(1)[49000000s:1s])"),
		q("query, as many steps as are let in", "/api/v1/query", "query", "count_over_time(vector(1)[199999s:1s])"),
		q("query, as many steps as are let in, of several", "/api/v1/query", "query",
			"count_over_time((vector(1)+(vector(2)+(vector(3)+(vector(4)+vector(time())))))[199999s:1s])"),
		ranged("query_range, every series", `{__name__=~".+"}`),
		ranged("query_range, joins", `sum by (service_name) ({__name__=~".+"}) or count_values("v", {__name__=~".+"}) or topk(5, {__name__=~".+"})`),
		ranged("query_range, windows that are sorted", `quantile_over_time(0.9, {__name__=~".+"}[1h])`),
		ranged("query_range, sorted subqueries", "quantile_over_time(0.5, vector(1)[200s:1s])"),
		q("query, a costly pattern", "/api/v1/query", "query", `{__name__=~"(.*a){500}|(.*b){500}.*"}`),
		q("format_query, 10 KB of parentheses", "/api/v1/format_query", "query", strings.Repeat("(", 5000)+"1"+strings.Repeat(")", 5000)),
		q("format_query, as deep as is let in", "/api/v1/format_query", "query", deep),
		q("parse_query, as deep as is let in", "/api/v1/parse_query", "query", deep),
		q("series", "/api/v1/series", "match[]", `{__name__=~".+"}`, "match[]", `{job=~".+"}`),
		q("labels", "/api/v1/labels", "match[]", `{__name__=~".+"}`, "match[]", `{job=~".+"}`),
		q("label values", "/api/v1/label/__name__/values", "match[]", `{__name__=~".+"}`),
		q("status/tsdb", "/api/v1/status/tsdb", "limit", "10000"),
		q("trace search, nothing matches", "/api/traces/v1/search", "error", "true", "min_duration", "1ms", "max_duration", "2ms", "limit", "200"),
		q("trace search, 200 traces", "/api/traces/v1/search", "limit", "200"),
		q("trace of 20,000 spans", "/api/traces/v1/traces/"+largeTrace.String()),
		q("trace services", "/api/traces/v1/services"),
		q("jaeger search, 200 traces", "/jaeger/api/traces", "limit", "1000"),
		q("jaeger trace of 20,000 spans", "/jaeger/api/traces/"+largeTrace.String()),
		q("objectives", "/api/slo/v1/objectives"),
		q("objective history", "/api/slo/v1/objectives/apimix/history", "step", "60"),
		q("deliveries", "/api/alerts/v1/deliveries"),
		q("sampling status", "/api/sampling/v1/status"),
		q("sampling cost", "/api/sampling/v1/cost"),
		q("sampling decision", "/api/sampling/v1/decisions/"+largeTrace.String()),
		q("readyz", "/readyz"),
	}
}

// apimix measures how long an export takes while clients ask each question, and while they ask all of them at once, against exports
// without clients. Each question gets a window, between two windows without.
func (o options) apimix(ctx context.Context, dir string) error {
	t, err := o.target("slowburn")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "building the target")
	if err := build(ctx, dir, []target{t}); err != nil {
		return err
	}
	t.configs = append(slices.Clip(t.configs), "configs/apimix.yaml")
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
	settings := s.load
	settings.Endpoint = process.grpc
	generator := load.New(settings)
	sending, cancel := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() { sent <- generator.Run(sending) }()
	err = o.askAll(ctx, process, generator)
	cancel()
	return errors.Join(err, <-sent)
}

func (o options) askAll(ctx context.Context, process *running, g *load.Generator) error {
	if err := sendLarge(ctx, process.http); err != nil {
		return err
	}
	if err := pause(ctx, 20*time.Second); err != nil { // until it is decided and stored, and counts were flushed
		return err
	}
	list := questions(time.Now())
	if o.only != "" {
		list = slices.DeleteFunc(list, func(q question) bool { return !strings.Contains(q.name, o.only) })
	}
	fmt.Printf("%d clients, %d spans/s; an export's p50 and p99 in windows of %v\n\n", o.clients, o.rate, o.window)
	fmt.Println("| asked | p50 | p99 | without: p50, p99 before; p50, p99 after | answers, by status | RSS |")
	fmt.Println("|---|---|---|---|---|---|")
	before, err := o.asked(ctx, process, g, nil)
	if err != nil {
		return err
	}
	worst := 0.0
	for _, asked := range append(slices.Collect(slices.Chunk(list, 1)), list) {
		name := asked[0].name
		if len(asked) > 1 {
			name = "all of them"
		}
		with, err := o.asked(ctx, process, g, asked)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		after, err := o.asked(ctx, process, g, nil)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s | %s | %s, %s; %s, %s | %s | %.0f MB |\n", name, ms(with.stats.P50), ms(with.stats.P99),
			ms(before.stats.P50), ms(before.stats.P99), ms(after.stats.P50), ms(after.stats.P99), with.answers, float64(with.resident)/1e6)
		bar := max(2*max(before.stats.P99, after.stats.P99), 10*time.Millisecond)
		worst = max(worst, float64(with.stats.P99)/float64(bar))
		before = after
	}
	fmt.Printf("\nthe highest p99 is %.2f of the bar, which is twice that without, or 10 ms if that is more\n", worst)
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1e3) }

// asking is the measurement of a window in which some questions were asked.
type asking struct {
	stats    load.Stats
	answers  string
	resident uint64
}

// asked runs all clients for the window. Each begins with another question.
func (o options) asked(ctx context.Context, process *running, g *load.Generator, list []question) (asking, error) {
	asking := asking{}
	within, cancel := context.WithTimeout(ctx, o.window)
	defer cancel()
	var mu sync.Mutex
	codes := map[int]int{}
	var clients sync.WaitGroup
	g.ResetLatencies()
	before := g.Stats()
	if len(list) > 0 {
		transport := &http.Transport{MaxIdleConnsPerHost: o.clients}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		for i := range o.clients {
			clients.Go(func() {
				for n := i; within.Err() == nil; n++ {
					code, err := ask(within, client, process.web, list[n%len(list)])
					if err != nil {
						continue // the window is over, or the connection was cut off
					}
					mu.Lock()
					codes[code]++
					mu.Unlock()
				}
			})
		}
	}
	<-within.Done()
	asking.stats = g.Stats()
	resident, err := proc.Resident(process.cmd.Process.Pid)
	clients.Wait()
	if err != nil {
		return asking, errors.Join(err, process.failure())
	}
	if asking.stats.Spans == before.Spans {
		return asking, fmt.Errorf("nothing was accepted: %w", asking.stats.LastErr)
	}
	asking.resident = resident.Total
	var parts []string
	for code, n := range codes {
		parts = append(parts, fmt.Sprintf("%d × %d", n, code))
	}
	slices.Sort(parts)
	asking.answers = strings.Join(parts, ", ")
	if asking.answers == "" {
		asking.answers = "none in time"
	}
	return asking, ctx.Err()
}

// ask sends a question: by POST to Prometheus' API, which accepts long queries so, and by GET to the others.
func ask(ctx context.Context, client *http.Client, address string, q question) (code int, err error) {
	target := "http://" + address + q.path
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if strings.HasSuffix(q.path, "query") || strings.HasSuffix(q.path, "query_range") {
		method, body = http.MethodPost, strings.NewReader(q.query)
	} else {
		target += "?" + q.query
	}
	if strings.Contains(q.path, "/history") {
		now := time.Now().UTC()
		target += "&start=" + now.Add(-7*24*time.Hour).Format(time.RFC3339) + "&end=" + now.Format(time.RFC3339)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// sendLarge sends the large trace, which has an error.
func sendLarge(ctx context.Context, address string) error {
	const perRequest = 5000
	now := time.Now()
	for first := 0; first < largeSpans; first += perRequest {
		traces := ptrace.NewTraces()
		rs := traces.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "large")
		spans := rs.ScopeSpans().AppendEmpty().Spans()
		for i := first; i < first+perRequest; i++ {
			span := spans.AppendEmpty()
			span.SetTraceID(largeTrace)
			span.SetSpanID(pcommon.SpanID{byte(i >> 16), byte(i >> 8), byte(i), 7: 1})
			if i > 0 {
				parent := (i - 1) / 3
				span.SetParentSpanID(pcommon.SpanID{byte(parent >> 16), byte(parent >> 8), byte(parent), 7: 1})
			}
			span.SetName(fmt.Sprintf("operation %d", i%100))
			span.SetStartTimestamp(pcommon.NewTimestampFromTime(now))
			span.SetEndTimestamp(pcommon.NewTimestampFromTime(now.Add(time.Second)))
			for n := range 10 {
				span.Attributes().PutStr(fmt.Sprintf("attribute.%d", n), fmt.Sprintf("value %d of %d", n, i))
			}
			if i == largeSpans-1 {
				span.Status().SetCode(ptrace.StatusCodeError)
			}
		}
		body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/traces", strings.NewReader(string(body)))
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
			return fmt.Errorf("the large trace was answered %s", resp.Status)
		}
	}
	return nil
}
