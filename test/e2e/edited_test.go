//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Processors that edit spans in front of the sampler edit bytes, batch is left out, and each span arrives with its additions.
func TestEditedOnBytes(t *testing.T) {
	t.Parallel()
	const edits = `yaml:{processors: {batch: {}, attributes: {actions: [{key: edited, value: [1, two], action: upsert}]},
		resource: {attributes: [{key: cloud.region, value: eu-central-1, action: insert}]}, filter: {traces: {span: ['name == "none has it"']}}},
		service: {pipelines: {traces/in: {processors: [memory_limiter, batch, attributes, resource]}, traces/sampled: {processors: [filter, tail_sampling]}}}}`
	b := startBackend(t)
	g := startExporting(t, edits, exporters(exporter{id: "otlp_grpc/backend", endpoint: b.grpc}))
	sent := newTraffic(91).traces(20, boring)
	g.sendAll(t, sent)
	require.True(t, b.awaitAll(t, soon, sent))
	spans := 0
	for _, rs := range b.spans(t).ResourceSpans().All() {
		region, _ := rs.Resource().Attributes().Get("cloud.region")
		assert.Equal(t, "eu-central-1", region.AsString())
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				spans++
				edited, _ := s.Attributes().Get("edited")
				assert.JSONEq(t, `[1, "two"]`, edited.AsString(), s.Name())
			}
		}
	}
	assert.Equal(t, merged(sent...).SpanCount(), spans)
	log := g.logged(t)
	assert.Contains(t, log, "traces/in::processors: batch is left out")
	assert.NotContains(t, log, "passed on a second time")
}
