package metrics

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/metrics/internal/metadata"
)

// The receiver sends after each evaluation, tries again what is refused, and says so.
func TestReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, refuse atomic.Int64
		next, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
			calls.Add(1)
			if refuse.Load() > 0 {
				return errors.New("away")
			}
			return nil
		})
		require.NoError(t, err)
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), next)
		require.NoError(t, err)
		evaluated := time.Now().Truncate(time.Minute)
		source := &fakeSource{changed: make(chan struct{})}
		source.statuses.Objectives = []engine.Status{burning("a", evaluated)}
		require.NoError(t, r.Start(t.Context(), hostOf{component.MustNewID("slo"): source}))
		synctest.Wait()
		assert.EqualValues(t, 1, calls.Load(), "what the start shows")

		evaluate := func() {
			evaluated = evaluated.Add(time.Minute)
			before := source.changed
			source.statuses.Objectives = []engine.Status{burning("a", evaluated)}
			source.changed = make(chan struct{})
			close(before)
			synctest.Wait()
		}
		evaluate()
		assert.EqualValues(t, 2, calls.Load())
		assert.True(t, r.(host.Prober).Probe(t.Context()).OK)

		refuse.Store(1)
		evaluate()
		assert.EqualValues(t, 3, calls.Load())
		assert.Contains(t, r.(host.Prober).Probe(t.Context()).Message, "away")
		refuse.Store(0)
		time.Sleep(retryEvery)
		synctest.Wait()
		assert.EqualValues(t, 4, calls.Load(), "tried again")
		assert.True(t, r.(host.Prober).Probe(t.Context()).OK)
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// A gateway without objectives starts; one in which two extensions have some does not.
func TestReceiverWithoutObjectives(t *testing.T) {
	for _, c := range []struct {
		host hostOf
		want string
	}{
		{hostOf{}, ""},
		{hostOf{component.MustNewID("slo"): &fakeSource{}, component.MustNewIDWithName("slo", "b"): &fakeSource{}}, "several extensions"},
	} {
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
		require.NoError(t, err)
		err = r.Start(t.Context(), c.host)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
		require.NoError(t, r.Shutdown(t.Context()))
	}
}
