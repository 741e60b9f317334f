//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
)

// A trace above the backend's request limit arrives whole, in several requests, whether the gateway knows the limit or learns it, and
// also if the backend refuses some of the requests.
func TestLargeTraceArrivesWhole(t *testing.T) {
	t.Parallel()
	own, collector := startBackend(t), startBackend(t, "--collector")
	above := "max_request_size: 64MiB, "
	flaky := rule{Every: 2, Code: codes.Unavailable, Status: http.StatusServiceUnavailable, Text: "not now"}
	cases := []struct {
		tenant, id, endpoint, options string
		rule                          *rule
	}{
		{tenant: "grpc", id: "otlp_grpc/large", endpoint: own.grpc},
		{tenant: "http", id: "otlp_http/large", endpoint: own.http},
		{tenant: "grpc-unknown", id: "otlp_grpc/unknown", endpoint: own.grpc, options: above},
		{tenant: "http-unknown", id: "otlp_http/unknown", endpoint: own.http, options: above},
		{tenant: "grpc-plain", id: "otlp_grpc/plain", endpoint: own.grpc, options: above + "compression: none, "},
		{tenant: "http-plain", id: "otlp_http/plain", endpoint: own.http, options: above + "compression: none, "},
		{tenant: "grpc-flaky", id: "otlp_grpc/flaky", endpoint: own.grpc, rule: &flaky},
		{tenant: "http-flaky", id: "otlp_http/flaky", endpoint: own.http, options: above, rule: &flaky},
	}
	all := []exporter{{id: "otlp_grpc/collector", endpoint: collector.grpc, options: above}}
	for _, c := range cases {
		all = append(all, exporter{id: c.id, endpoint: c.endpoint, options: c.options + "headers: {tenant: " + c.tenant + "}"})
		if c.rule != nil {
			own.answerTenant(t, c.tenant, *c.rule)
		}
	}
	g := startExporting(t, exporters(all...))
	made := newTraffic(66)
	large := largeTrace(made, 5<<20)
	require.Greater(t, new(ptrace.ProtoMarshaler).TracesSize(large), 5_000_000)
	sent := append(made.traces(50, boring), large)
	g.sendAll(t, sent)
	collector.awaitAll(t, soon, sent)
	for _, c := range cases {
		if c.rule == nil {
			own.awaitAll(t, soon, sent, c.tenant)
			continue
		}
		// A part can arrive more than once: all parts are sent again until each is accepted.
		missing := 0
		assert.Eventually(t, func() bool {
			missing, _ = count(sent...).missing(count(own.spans(t, c.tenant)))
			return missing == 0
		}, soon, 200*time.Millisecond, "%s: %d spans are missing", c.id, missing)
	}
	for _, d := range g.destinations(t).Destinations {
		assert.Zero(t, d.RefusedTraces, d.Destination)
	}
}

// A span above the request limit arrives without some of its attributes, and with the number of removed bytes.
func TestLargeSpanArrivesTrimmed(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	g := startExporting(t, exporters(
		exporter{id: "otlp_grpc/large", endpoint: b.grpc, options: "headers: {tenant: grpc}"},
		exporter{id: "otlp_http/large", endpoint: b.http, options: "headers: {tenant: http}"},
	))
	made := newTraffic(67)
	large := made.traces(1, boring)[0]
	span := large.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	size := 6 << 20
	span.Attributes().PutStr("document", strings.Repeat("0123456789abcdef", size/16))
	span.Attributes().PutStr("after", "it")
	sent := append(made.traces(20, boring), large)
	g.sendAll(t, sent)
	for _, tenant := range []string{"grpc", "http"} {
		if !b.awaitAll(t, soon, sent, tenant) {
			continue
		}
		trimmed := 0
		each(b.spans(t, tenant), func(got ptrace.Span) {
			cut, ok := got.Attributes().Get("slowburn.span.trimmed")
			if !ok {
				return
			}
			trimmed++
			assert.Equal(t, span.SpanID(), got.SpanID())
			assert.Equal(t, span.Name(), got.Name())
			assert.Equal(t, span.ParentSpanID(), got.ParentSpanID())
			assert.Greater(t, cut.Int(), int64(size-4<<20))
		})
		assert.Equal(t, 1, trimmed, tenant)
		assert.Less(t, b.state(t, tenant).LargestAccepted, 4<<20)
	}
}

// largeTrace makes a trace of about size bytes, in spans of 50 kB.
func largeTrace(made traffic, size int) ptrace.Traces {
	parts := made.trace(boring, time.Now())
	td := merged(parts...)
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	body := bytes.Repeat([]byte("payload of a span "), 50_000/18)
	for i := range size / len(body) {
		span := spans.AppendEmpty()
		spans.At(0).CopyTo(span)
		span.SetParentSpanID(spans.At(0).SpanID())
		span.SetSpanID(pcommon.SpanID{9, 9, byte(i >> 8), byte(i), 1})
		span.SetName("part " + strconv.Itoa(i))
		for j := range body { // random, so that it hardly compresses
			body[j] = byte('a' + made.rng.IntN(26))
		}
		span.Attributes().PutStr("body", string(body))
	}
	return td
}
