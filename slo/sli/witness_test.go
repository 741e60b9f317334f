package sli

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

func TestWitnesses(t *testing.T) {
	span := func(service string, resource map[string]any) slitest.Span {
		return slitest.Span{Service: service, Name: "ping", Resource: resource}
	}
	td := slitest.Traces(t,
		span("a", map[string]any{"service.instance.id": "1"}),
		span("a", map[string]any{"service.instance.id": "1", "telemetry.sdk.language": "go"}), // the same process
		span("a", map[string]any{"service.instance.id": "2"}),
		span("b", map[string]any{"host.name": "far away"}),
		span("c", map[string]any{"host.name": hostname}),
		span("", nil),
	)
	noon := time.Unix(1_795_694_400, 0)
	for i, rs := range td.ResourceSpans().All() {
		spans := rs.ScopeSpans().At(0).Spans()
		spans.At(0).SetEndTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(i) * time.Second)))
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	heard := map[uint64][]time.Duration{}
	witnesses(&r, func(process uint64, end time.Time) { heard[process] = append(heard[process], end.Sub(noon)) })
	var ends [][]time.Duration
	for _, list := range heard {
		ends = append(ends, list)
	}
	assert.ElementsMatch(t, [][]time.Duration{{0, time.Second}, {2 * time.Second}, {3 * time.Second}, {5 * time.Second}}, ends)
}

// When the time moves back, flushes follow it: no count waits until the time has caught up.
func TestSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := new(refuser)
		p := newPair(t, nil, consumertest.NewNop(), next)
		p.start(t)
		send := func() { require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping))) }
		send()
		f := p.emitting.(*emitting).flusher
		_, err := f.flush(context.Background(), midnight.Add(25*time.Hour).UnixMilli())
		require.NoError(t, err)
		send()
		time.Sleep(25 * time.Second)
		p.shutdown(t)
		want := []string{"00:59:50.000: 0", "01:00:00.000: 1", "00:00:10.000: 2", "00:00:20.000: 2", "00:00:25.000: 2"}
		assert.Equal(t, want, next.of(callsOfPing))
		assert.Equal(t, want, next.of(durationOfPing))
	})
}
