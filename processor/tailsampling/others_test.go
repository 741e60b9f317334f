package tailsampling

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// startLogged runs a processor of the document's configuration with an observed log.
func startLogged(t *testing.T, d *document) (*Sampler, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	factory := NewFactory(WithSource(d))
	cfg := factory.CreateDefaultConfig()
	own, err := confmap.NewFromStringMap(d.conf).Sub("processors::tail_sampling/a")
	require.NoError(t, err)
	require.NoError(t, own.Unmarshal(cfg))
	set := processortest.NewNopSettings(metadata.Type)
	set.ID, set.Logger = component.MustNewIDWithName("tail_sampling", "a"), zap.New(core)
	p, err := factory.CreateTraces(t.Context(), set, cfg, &sink{})
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	return p.(*Sampler), logs
}

// A change of any other key than policies is named by its key, wherever it is in the configuration.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	d := &document{}
	own := map[string]any{"storage": "memory", "policies": statusPolicies("ERROR")}
	other := map[string]any{"policies": statusPolicies("ERROR")}
	exporter := map[string]any{"endpoint": "a:4317"}
	set := func() {
		d.conf = map[string]any{
			"processors": map[string]any{"tail_sampling/a": own, "tail_sampling/b": other},
			"exporters":  map[string]any{"otlp_grpc/backend": exporter},
		}
	}
	set()
	p, logs := startLogged(t, d)
	own["policies"], own["rules"] = []any{}, []any{map[string]any{"name": "all", "sample": 5}}
	other["policies"] = statusPolicies("OK")
	set()
	d.hangup(t.Context())
	require.Empty(t, p.Policies().NeedsRestart, "these are read again")
	require.Equal(t, 2, p.Policies().Version)
	require.Zero(t, logs.FilterMessageSnippet("restart to apply").Len())

	own["num_traces"], other["num_traces"], exporter["endpoint"] = 7, 8, "b:4317"
	set()
	d.hangup(t.Context())
	assert.Equal(t, []string{"num_traces", "exporters::otlp_grpc/backend::endpoint", "processors::tail_sampling/b::num_traces"},
		p.Policies().NeedsRestart)
	warned := logs.FilterMessageSnippet("restart to apply").All()
	require.Len(t, warned, 1)
	assert.Equal(t, []any{"processors::tail_sampling/a::num_traces", "exporters::otlp_grpc/backend::endpoint",
		"processors::tail_sampling/b::num_traces"}, warned[0].ContextMap()["keys"])
	delete(own, "num_traces")
	delete(other, "num_traces")
	exporter["endpoint"] = "a:4317"
	set()
	d.hangup(t.Context())
	require.Empty(t, p.Policies().NeedsRestart, "as at the start")
	require.NoError(t, p.Shutdown(t.Context()))
}

// Wait keys that the file with the policies does not set are logged at the start.
func TestStartNamesInheritedWaits(t *testing.T) {
	d := &document{}
	file := func(name string, own map[string]any) Location {
		return Location{Name: name, Conf: confmap.NewFromStringMap(map[string]any{"processors": map[string]any{"tail_sampling/a": own}})}
	}
	d.set(map[string]any{"storage": "memory", "decision_wait": "10s", "decision_wait_after_root_received": "2s", "policies": statusPolicies("ERROR")})
	d.locations = []Location{
		file("config.yaml", map[string]any{"decision_wait": "60s", "decision_wait_after_root_received": "2s", "policies": []any{}}),
		file("ours.yaml", map[string]any{"decision_wait": "10s", "policies": statusPolicies("ERROR")}),
	}
	p, logs := startLogged(t, d)
	told := logs.FilterMessageSnippet("does not set a wait").All()
	require.Len(t, told, 2)
	assert.Equal(t, "the file with the policies does not set a wait: decision_wait_after_root_received", told[0].Message)
	assert.Equal(t, map[string]any{
		"holds": "2s", "because": "config.yaml sets it", "policies_in": "ours.yaml", "default_of_contrib": "0s",
	}, told[0].ContextMap())
	assert.Equal(t, map[string]any{
		"holds": "0s", "because": "it is the default", "policies_in": "ours.yaml", "default_of_contrib": "0s",
	}, told[1].ContextMap())
	require.NoError(t, p.Shutdown(t.Context()))

	d.err = errors.New("away")
	p, _ = startLogged(t, d)
	d.err = nil
	d.hangup(context.Background())
	require.Empty(t, p.Policies().NeedsRestart, "what was there at the start is not known")
	require.NoError(t, p.Shutdown(t.Context()))
}
