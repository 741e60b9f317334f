//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Over a restart each destination goes on where it was. One that is new gets what is decided from then on; one that is gone
// is forgotten, and the start says how many traces it had not got.
func TestDestinationAddedAndRemoved(t *testing.T) {
	t.Parallel()
	gone, stays, behind, added := startBackend(t), startBackend(t), startBackend(t), startBackend(t)
	gone.answer(t, away)
	behind.answer(t, away)
	staying := []exporter{{id: "otlp_grpc/stays", endpoint: stays.grpc}, {id: "otlp_http/behind", endpoint: behind.http}}
	g := startExporting(t, exporters(append(staying, exporter{id: "otlp_grpc/gone", endpoint: gone.grpc})...))
	made := newTraffic(68)
	before := made.traces(123, boring)
	g.sendAll(t, before)
	stays.awaitAll(t, soon, before)

	g.restart(t, exporters(append(staying, exporter{id: "otlp_grpc/added", endpoint: added.grpc})...))
	assert.Regexp(t, `otlp_grpc/gone.*123|123.*otlp_grpc/gone`, g.logged(t), "the start says what was not delivered")
	after := made.traces(50, boring)
	g.sendAll(t, after)
	all := append(before, after...)
	stays.awaitAll(t, soon, all)
	added.awaitAll(t, soon, after)
	behind.answer(t)
	behind.awaitAll(t, soon, all)
	g.awaitSettled(t)
	missing, _ := count(before...).missing(count(added.spans(t)))
	assert.Equal(t, len(before)*spansPerTrace, missing, "a new destination gets nothing of what was decided before")

	g.restart(t, exporters(append(staying, exporter{id: "otlp_grpc/gone", endpoint: gone.grpc})...))
	gone.answer(t)
	last := made.traces(10, boring)
	g.sendAll(t, last)
	gone.awaitAll(t, soon, last)
	require.Equal(t, len(last)*spansPerTrace, gone.spans(t).SpanCount(), "one that comes back is new")
	behind.awaitAll(t, soon, append(all, last...))
	time.Sleep(time.Second) // for what should not come
	stays.awaitAll(t, soon, append(all, last...))
}
