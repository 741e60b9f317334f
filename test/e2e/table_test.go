//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/web/api"
)

// row is an answer of the table in docs/delivery.md, with its class.
type row struct {
	id    string // the exporter that gets the answer
	class string
	rule  rule
}

var answerCode = regexp.MustCompile("`([A-Z_]+)`( without RetryInfo even| without RetryInfo| with RetryInfo| with rejected spans)?")

var answerStatus = regexp.MustCompile(`\b([2-5])(\d\d|xx)( with rejected spans)?\b`)

// quota is the number of refusals because of a quota before a request of the smallest size is accepted.
const quota = 4

// readTable reads the table. Its cells have answers; "other 4xx" stands for those without a row.
func readTable(t *testing.T) (rows []row) {
	t.Helper()
	text, err := os.ReadFile("../../docs/delivery.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 || !slices.Contains([]string{"accepted", "retry", "too_large", "data", "gateway", "either"}, strings.TrimSpace(cells[2])) {
			continue
		}
		class := strings.TrimSpace(cells[2])
		add := func(id string, r rule) {
			r.Text = "this is " + id
			rows = append(rows, row{id: id, class: class, rule: r})
		}
		if strings.Contains(cells[0], "no answer") {
			add("otlp_grpc/silent", rule{Hang: true})
			add("otlp_http/silent", rule{Hang: true})
			continue
		}
		for _, match := range answerCode.FindAllStringSubmatch(cells[0], -1) {
			var r rule
			require.NoError(t, r.Code.UnmarshalJSON([]byte(strconv.Quote(match[1]))), "%s", line)
			id := "otlp_grpc/" + strings.ToLower(match[1])
			switch match[2] {
			case " with RetryInfo":
				r.RetryAfter, id = 1, id+"_later"
			case " without RetryInfo even": // refuses the smallest request, too
				r.Times, id = quota, id+"_quota"
			case " with rejected spans":
				r.Reject, id = 1, id+"_partly"
			}
			add(id, r)
		}
		for _, match := range answerStatus.FindAllStringSubmatch(cells[1], -1) {
			r, id := rule{}, "otlp_http/"+match[1]+match[2]
			if match[2] == "xx" {
				match[2] = "08" // 308, or 418 and 518, which have no row
				if match[1] != "3" {
					match[2] = "18"
				}
			}
			r.Status, err = strconv.Atoi(match[1] + match[2])
			require.NoError(t, err)
			if match[3] != "" {
				r.Reject, id = 1, id+"_partly"
			}
			add(id, r)
		}
	}
	return rows
}

// mostDestinations is the largest number of destinations of a sampler.
const mostDestinations = 16

// The table in docs/delivery.md has the handling of each answer of a backend. Each answer goes to its own destination here.
func TestDeliveryTable(t *testing.T) {
	rows := readTable(t)
	require.Greater(t, len(rows), 40)
	const each = mostDestinations - 1 // beside trace_store
	gateways := (len(rows) + each - 1) / each
	for some := range slices.Chunk(rows, (len(rows)+gateways-1)/gateways) {
		t.Run(some[0].id+" to "+some[len(some)-1].id, func(t *testing.T) {
			t.Parallel()
			checkRows(t, some)
		})
	}
}

func checkRows(t *testing.T, rows []row) {
	t.Helper()
	b := startBackend(t)
	var all []exporter
	for _, r := range rows {
		endpoint := b.grpc
		if strings.HasPrefix(r.id, "otlp_http") {
			endpoint = b.http
		}
		all = append(all, exporter{id: r.id, endpoint: endpoint, options: "compression: none, headers: {tenant: " + r.id + "}"})
	}
	g := startExporting(t, exporters(all...))
	made := newTraffic(72)
	first := made.traces(10, boring)
	g.sendAll(t, first)
	for _, r := range rows {
		b.awaitAll(t, soon, first, r.id)
	}

	second := made.traces(16, boring)
	one := traceID(second[7]).String()
	for _, r := range rows {
		switch r.class {
		case "accepted", "too_large":
			r.rule.Times = 1
		case "retry":
			r.rule.Times = max(r.rule.Times, 2)
		case "data", "either":
			r.rule.TraceID = one
		}
		if r.rule.Reject > 0 || r.class != "accepted" {
			b.answerTenant(t, r.id, r.rule)
		}
	}
	g.sendAll(t, second)
	sent := append(first, second...)
	t.Run("answers", func(t *testing.T) { // returns when all subtests have ended
		for _, r := range rows {
			t.Run(r.id, func(t *testing.T) {
				t.Parallel()
				r.check(t, g, b, sent, one)
			})
		}
	})
}

// check checks that the row's destination behaves as its class demands. All traces of sent went to it. Destinations that refuse a trace
// refuse the one with the ID one.
func (r row) check(t *testing.T, g *gateway, b *backend, sent []ptrace.Traces, one string) {
	t.Helper()
	now := func() api.Destination { return g.destinations(t).of(t, r.id) }
	switch r.class {
	case "accepted":
		b.awaitAll(t, soon, sent, r.id)
		assert.Eventually(t, func() bool { return now().RejectedSpans == r.rule.Reject }, soon, 100*time.Millisecond)
	case "retry", "too_large":
		b.awaitAll(t, soon, sent, r.id)
		assert.Zero(t, now().RefusedTraces)
	case "data", "either":
		b.awaitAll(t, soon, slices.DeleteFunc(slices.Clone(sent), func(td ptrace.Traces) bool { return traceID(td).String() == one }), r.id)
		assert.Eventually(t, func() bool { return g.refuses(t, r, one) }, soon, 100*time.Millisecond, "the trace is not listed as refused")
	case "gateway":
		assert.Eventually(t, func() bool { return now().State == "refuses_gateway" }, soon, 100*time.Millisecond)
		state := g.readyz(t)
		assert.Equal(t, http.StatusOK, state.status)
		assert.True(t, state.names(r.id), "/readyz does not name the destination: %+v", state)
		b.answerTenant(t, r.id)
		b.awaitAll(t, soon, sent, r.id)
		assert.Zero(t, now().RefusedTraces)
	}
}

// refuses reports whether the trace is listed as refused by the row's destination, with its answer.
func (g *gateway) refuses(t *testing.T, r row, id string) bool {
	t.Helper()
	code := "HTTP " + strconv.Itoa(r.rule.Status)
	if r.rule.Status == 0 {
		code = strings.ToUpper(strings.TrimPrefix(r.id, "otlp_grpc/"))
	}
	return slices.ContainsFunc(g.destinations(t).Refused, func(f api.RefusedTrace) bool {
		return f.TraceID == id && f.Destination == r.id && f.Code == code && strings.Contains(f.Text, r.rule.Text)
	})
}
