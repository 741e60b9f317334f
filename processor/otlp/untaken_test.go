package otlp

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/processor/otlp/internal/metadatatest"
)

// TestSpansThatNoConsumerTakes checks that spans that no pipeline takes as wire bytes arrive decoded, by every door, once, without the invalid ones.
func TestSpansThatNoConsumerTakes(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	g.blind = true
	for _, door := range doors {
		td, ids := someTraces(3, true)
		got := g.send(door, "", td)
		assert.Equal(t, codes.OK, got.status.Code(), got.status)
		assert.EqualValues(t, 2, got.rejected, door)
		assert.ElementsMatch(t, ids, g.take(), door)
	}
	g.counts("grpc", 3, 2)
	metadatatest.AssertEqualReceiverOtlpUntakenSpans(t, g.tel, []metricdata.DataPoint[int64]{{Value: 9}},
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	errs := g.logs.FilterLevelExact(zapcore.ErrorLevel)
	require.Equal(t, 1, errs.Len(), "the others come within a minute")
	assert.Contains(t, errs.All()[0].Message, "remove wire_path")

	g.err = errors.New("full")
	td, _ := someTraces(1, false)
	assert.Equal(t, codes.ResourceExhausted, g.send("grpc", "", td).status.Code(), "the answer is that for the decoded spans")
}

// TestStartSaysThatAllIsDecoded checks that a distribution without the converter logs the cost of decoding.
func TestStartSaysThatAllIsDecoded(t *testing.T) {
	for _, c := range []struct {
		conf map[string]any
		told int
	}{
		{nil, 1},
		{map[string]any{"wire_path": false}, 0},
		{map[string]any{"wire_path": true}, 0},
	} {
		g := start(t, c.conf)
		assert.Equal(t, c.told, g.logs.FilterMessageSnippet("traces are decoded").Len(), "%v", c.conf)
		td, ids := someTraces(1, false)
		assert.Equal(t, codes.OK, g.send("grpc", "", td).status.Code())
		assert.Equal(t, ids, g.take())
	}
}
