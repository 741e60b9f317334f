package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// TestWatch changes the configuration of a processor that watches it: a valid one is applied, an invalid one is reported and
// changes nothing, and each is tried once.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &document{}
		own := map[string]any{"storage": "memory", "num_shards": 1, "watch": "10s", "policies": statusPolicies("ERROR")}
		d.set(own)
		p := startFrom(t, d, &sink{})
		reloads := func(o status.Outcome) int64 { return p.view.Reloads[o].Load() }
		settle := func() { time.Sleep(30 * time.Second); synctest.Wait() }

		settle()
		assert.Equal(t, 1, p.Policies().Version)
		assert.Zero(t, reloads(status.ReloadUnchanged), "nothing has changed, and nothing is reloaded")

		own["num_traces"] = 7
		d.set(own)
		settle()
		assert.Equal(t, []string{"num_traces"}, p.Policies().NeedsRestart)
		assert.EqualValues(t, 1, reloads(status.ReloadUnchanged), "which is told once")

		own["policies"] = statusPolicies("ERROR", "OK")
		d.set(own)
		settle()
		assert.Equal(t, 2, p.Policies().Version)
		assert.EqualValues(t, 1, reloads(status.ReloadChanged))
		assert.True(t, p.Probe(t.Context()).OK)

		own["policies"] = statusPolicies("BROKEN")
		d.set(own)
		settle()
		settle()
		assert.Equal(t, 2, p.Policies().Version)
		require.NotNil(t, p.Policies().LastError)
		assert.EqualValues(t, 1, reloads(status.ReloadFailed), "it is tried once")
		health := p.Probe(t.Context())
		assert.False(t, health.OK)
		assert.False(t, health.Blocking, "spans are taken all the same")
		assert.Contains(t, health.Message, "0 traces wait for a decision")
		assert.Contains(t, health.Message, "Reloading the policies failed at ")
		assert.Contains(t, health.Message, "version 2 stays")
		assert.Contains(t, health.Message, "BROKEN")

		own["policies"] = statusPolicies("ERROR", "OK")
		d.set(own)
		settle()
		assert.Equal(t, 2, p.Policies().Version, "these are the current ones")
		assert.Nil(t, p.Policies().LastError)
		assert.True(t, p.Probe(t.Context()).OK)

		own["shadow"] = map[string]any{"policies": statusPolicies("UNSET")}
		d.set(own)
		settle()
		assert.Equal(t, 3, p.Policies().Version)
		_, err := p.Promote()
		require.NoError(t, err)
		settle()
		assert.Equal(t, 4, p.Policies().Version, "what was promoted stays until the configuration changes")

		require.NoError(t, p.Shutdown(t.Context()))
		d.set(map[string]any{})
		settle() // the watch has ended
	})
}

// TestWatchTriesAgain checks that a change that cannot be applied yet, because traces of too many versions wait, is applied later.
func TestWatchTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &document{}
		own := map[string]any{"storage": "memory", "num_shards": 1, "watch": "10s", "decision_wait": "5m", "policies": statusPolicies("ERROR")}
		d.set(own)
		p := startFrom(t, d, &sink{})
		for n := range version.MaxInUse { // a trace waits under each
			if n > 0 {
				_, err := swapTo(p, p.cfg)
				require.NoError(t, err)
			}
			require.NoError(t, wireDoor(t, p, request(newSpan(n+1, 0))))
		}
		own["policies"] = statusPolicies("OK")
		d.set(own)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.NotNil(t, p.Policies().LastError)
		assert.Contains(t, p.Policies().LastError.Detail, "try again after decision_wait")

		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Nil(t, p.Policies().LastError)
		assert.Equal(t, []PolicyInfo{{Name: "OK", Type: "status_code"}}, p.Policies().Policies)
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

// TestWatchValidates checks that an interval without its unit is named.
func TestWatchValidates(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Policies = nil
	for watch, want := range map[time.Duration]string{
		10: "watch: 10ns must be at least 1s; write it with a unit, such as 10s",
		-1: "watch: -1ns must be at least 1s",
	} {
		cfg.Watch = watch
		require.ErrorContains(t, cfg.Validate(), want)
	}
}

// A gateway that cannot read its configuration again does not watch, says so, and runs.
func TestWatchWithoutSource(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Storage, cfg.Watch, cfg.Policies = storageMemory, time.Second, []policy.Config{serviceIs("a", "a")}
	set := processortest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.WarnLevel)
	set.Logger = zap.New(core)
	p, err := NewFactory().CreateTraces(t.Context(), set, cfg, &sink{})
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	assert.Equal(t, 1, logs.FilterMessage("watch has no effect").Len())
	require.NoError(t, p.Shutdown(t.Context()))
}
