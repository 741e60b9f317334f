package tailsampling

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// document is a configuration that tests can change, and a signal that they can send.
type document struct {
	mu     sync.Mutex
	conf   map[string]any
	err    error
	hangup func(context.Context)

	locations []Location
}

func (d *document) Load(context.Context) (*confmap.Conf, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return confmap.NewFromStringMap(d.conf), d.err
}

func (d *document) Locations(context.Context) ([]Location, error) { return d.locations, nil }

func (d *document) OnHangup(f func(context.Context)) (cancel func()) {
	d.hangup = f
	return func() { d.hangup = nil }
}

// set replaces the processor's configuration.
func (d *document) set(own map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conf = map[string]any{"processors": map[string]any{"tail_sampling/a": own}}
}

// startFrom runs a processor with the document's configuration.
func startFrom(t *testing.T, d *document, next *sink) *Sampler {
	factory := NewFactory(WithSource(d))
	cfg := factory.CreateDefaultConfig()
	own, err := confmap.NewFromStringMap(d.conf).Sub("processors::tail_sampling/a")
	require.NoError(t, err)
	require.NoError(t, own.Unmarshal(cfg))
	set := processortest.NewNopSettings(metadata.Type)
	set.ID = component.MustNewIDWithName("tail_sampling", "a")
	p, err := factory.CreateTraces(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	return p.(*Sampler)
}

func statusPolicies(codes ...string) []any {
	var list []any
	for _, code := range codes {
		list = append(list, map[string]any{"name": code, "type": "status_code", "status_code": map[string]any{"status_codes": []any{code}}})
	}
	return list
}

func TestReload(t *testing.T) { withEitherStorage(t, testReload) }

func testReload(t *testing.T) {
	d := &document{}
	own := map[string]any{"storage": "memory", "num_shards": 2, "policies": statusPolicies("ERROR")}
	d.set(own)
	p := startFrom(t, d, &sink{})
	first := p.Policies()
	assert.Equal(t, 1, first.Version)
	assert.Equal(t, []PolicyInfo{{Name: "ERROR", Type: "status_code"}}, first.Policies)

	same, err := p.Reload(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, same, "nothing has changed")

	own["policies"], own["num_traces"] = statusPolicies("ERROR", "OK"), 7
	own["shadow"] = map[string]any{"policies": statusPolicies("UNSET")}
	d.set(own)
	second, err := p.Reload(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, second.Version)
	assert.Equal(t, []PolicyInfo{{Name: "ERROR", Type: "status_code"}, {Name: "OK", Type: "status_code"}}, second.Policies)
	assert.Equal(t, []PolicyInfo{{Name: "UNSET", Type: "status_code"}}, second.Shadow)
	assert.Equal(t, []string{"num_traces"}, second.NeedsRestart)

	promoted, err := p.Promote()
	require.NoError(t, err)
	assert.True(t, promoted.Promoted)
	assert.Equal(t, second.Shadow, promoted.Policies)
	third, err := p.Reload(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 4, third.Version, "the configuration does not say so")
	assert.Equal(t, second.Policies, third.Policies)
	assert.False(t, third.Promoted)

	own["policies"] = statusPolicies("OK")
	d.set(own)
	d.hangup(t.Context())
	assert.Equal(t, 5, p.Policies().Version)
	require.NoError(t, p.Shutdown(t.Context()))
	assert.Nil(t, d.hangup)
}

// A policy that a reload does not change keeps its memory of earlier traces.
func TestReloadKeepsCounts(t *testing.T) { withEitherStorage(t, testReloadKeepsCounts) }

func testReloadKeepsCounts(t *testing.T) {
	d := &document{}
	rare := func(traces int) map[string]any {
		return map[string]any{"name": "rare", "type": "rare", "rare": map[string]any{"traces": traces, "key": []any{"service.name"}}}
	}
	own := map[string]any{"storage": "memory", "num_shards": 1, "num_traces": 1, "policies": []any{rare(1)}}
	d.set(own)
	next := &sink{}
	p := startFrom(t, d, next)
	add := func(n int) { // decides the previous trace, as only one may wait
		require.NoError(t, wireDoor(t, p, request(newSpan(n, 0))))
	}
	add(1)
	add(2)
	own["policies"] = append(statusPolicies("ERROR"), rare(1))
	d.set(own)
	_, err := p.Reload(t.Context())
	require.NoError(t, err)
	add(3)
	add(4)
	own["policies"] = []any{rare(2)}
	d.set(own)
	_, err = p.Reload(t.Context())
	require.NoError(t, err)
	add(5)
	add(6)
	add(7)
	require.NoError(t, p.Shutdown(t.Context()))
	got := next.traces()
	require.Contains(t, got, traceID(1), "the first")
	require.Contains(t, got, traceID(5), "the first of another policy")
	require.Contains(t, got, traceID(6), "and its second")
	require.Len(t, got, 3)
}

// A reload that fails leaves everything as it was, names the wrong key, and is shown until one succeeds.
func TestReloadThatFails(t *testing.T) { withEitherStorage(t, testReloadThatFails) }

func testReloadThatFails(t *testing.T) {
	good := map[string]any{"storage": "memory", "num_shards": 2, "policies": statusPolicies("ERROR")}
	for name, c := range map[string]struct {
		change func(d *document)
		want   string
	}{
		"policy": {func(d *document) { d.set(map[string]any{"policies": statusPolicies("ERORR")}) }, `policies[0] "ERORR": status_code: status_codes[0]`},
		"shadow": {func(d *document) {
			d.set(map[string]any{"policies": statusPolicies("OK"), "shadow": map[string]any{"policies": statusPolicies("K.O.")}})
		}, `shadow::policies[0] "K.O."`},
		"key":     {func(d *document) { d.set(map[string]any{"polices": statusPolicies("OK")}) }, "polices"},
		"type":    {func(d *document) { d.set(map[string]any{"policies": "all"}) }, "policies"},
		"absent":  {func(d *document) { d.conf = map[string]any{"processors": map[string]any{}} }, "processors::tail_sampling/a is not in the configuration"},
		"no file": {func(d *document) { d.err = errors.New("no such file") }, "cannot be read: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &document{}
			d.set(good)
			p := startFrom(t, d, &sink{})
			before := p.Policies()
			c.change(d)
			began := time.Now()
			_, err := p.Reload(t.Context())
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, c.want)
			after := p.Policies()
			require.Equal(t, err.Error(), after.LastError.Detail)
			require.False(t, after.LastError.At.Before(began.Truncate(0)))
			after.LastError = nil
			require.Equal(t, before, after)

			d.err = nil
			d.set(good)
			_, err = p.Reload(t.Context())
			require.NoError(t, err)
			require.Equal(t, before, p.Policies())
			require.NoError(t, p.Shutdown(t.Context()))
		})
	}
}

func TestReloadWithoutSource(t *testing.T) { withEitherStorage(t, testReloadWithoutSource) }

func testReloadWithoutSource(t *testing.T) {
	p := start(t, testConfig(), &sink{})
	_, err := p.Reload(t.Context())
	require.ErrorIs(t, err, ErrNoSource)
	shutdown(t, p)
}

// A reload ignores keys that need a restart, also those that change the meaning of policies.
func TestReloadTakesOnlyPolicies(t *testing.T) { withEitherStorage(t, testReloadTakesOnlyPolicies) }

func testReloadTakesOnlyPolicies(t *testing.T) {
	d := &document{}
	d.set(map[string]any{"storage": "memory", "sampling_strategy": "span-ingest", "policies": statusPolicies("ERROR")})
	p := startFrom(t, d, &sink{})
	d.set(map[string]any{"storage": "memory", "policies": []any{
		map[string]any{"name": "between", "type": "latency", "latency": map[string]any{"threshold_ms": 1, "upper_threshold_ms": 9}},
	}})
	_, err := p.Reload(t.Context())
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, `sampling_strategy: span-ingest does not go with "between"`)
	assert.Equal(t, []string{"sampling_strategy"}, p.Policies().NeedsRestart)
	assert.Equal(t, 1, p.Policies().Version)
	require.NoError(t, p.Shutdown(t.Context()))
}

// Other keys than policies and shadow are listed by their names.
func TestOtherKeys(t *testing.T) {
	a, b := testConfig(), testConfig()
	b.Directory, b.Policies, b.Shadow = a.Directory, nil, &ShadowConfig{}
	require.Empty(t, otherKeys(a, b))
	b.MemoryBudget, b.DecisionCache.SampledCacheSize = units.Size(1), 1
	require.Equal(t, []string{"decision_cache", "memory_budget"}, otherKeys(a, b))
}
