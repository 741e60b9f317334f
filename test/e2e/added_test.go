//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// After a restart each destination continues where it was. A new one gets the traces that are decided from then on. A removed one
// is forgotten, and the start logs the number of its undelivered traces.
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
	assert.Regexp(t, `otlp_grpc/gone.*123|123.*otlp_grpc/gone`, g.logged(t), "the start logs the undelivered traces of the removed destination")
	after := made.traces(50, boring)
	g.sendAll(t, after)
	all := append(before, after...)
	stays.awaitAll(t, soon, all)
	added.awaitAll(t, soon, after)
	behind.answer(t)
	behind.awaitAll(t, soon, all)
	g.awaitSettled(t)
	missing, _ := count(before...).missing(count(added.spans(t)))
	assert.Equal(t, len(before)*spansPerTrace, missing, "a new destination gets no trace that was decided before")

	g.restart(t, exporters(append(staying, exporter{id: "otlp_grpc/gone", endpoint: gone.grpc})...))
	gone.answer(t)
	last := made.traces(10, boring)
	g.sendAll(t, last)
	gone.awaitAll(t, soon, last)
	require.Equal(t, len(last)*spansPerTrace, gone.spans(t).SpanCount(), "a destination that is added again counts as new")
	behind.awaitAll(t, soon, append(all, last...))
	time.Sleep(time.Second) // time for spans that must not come
	stays.awaitAll(t, soon, append(all, last...))
}
