//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The start refuses configurations that would lose traces, and keys that only the gateway sets, with the key and the reason.
func TestConfigurationThatLosesTracesIsRefused(t *testing.T) {
	t.Parallel()
	to := func(options string) string {
		return `yaml:{exporters: {otlp_http/ours: {endpoint: "http://127.0.0.1:9", ` + options +
			`}}, service: {pipelines: {traces/sampled: {exporters: [trace_store, otlp_http/ours]}}}}`
	}
	for name, c := range map[string]struct {
		config string
		want   []string
	}{
		"a queue in memory": {to("sending_queue: {enabled: true}"),
			[]string{"exporters::otlp_http/ours::sending_queue", "storage"}},
		"a queue by naming a key of it": {to("sending_queue: {queue_size: 10}"),
			[]string{"exporters::otlp_http/ours::sending_queue", "storage"}},
		"a queue of gRPC": {`yaml:{exporters: {otlp_grpc/backend: {sending_queue: {enabled: true}}}}`,
			[]string{"exporters::otlp_grpc/backend::sending_queue", "storage"}},
		"a processor that answers early": {"yaml:service::pipelines::traces/sampled::processors: [tail_sampling, reconstruct, batch]",
			[]string{"service::pipelines::traces/sampled::processors", "batch"}},
		"wire_path of the receiver": {"yaml:receivers::otlp::wire_path: true", []string{"receivers::otlp::wire_path"}},
		"wire_path of sli":          {"yaml:connectors::sli::wire_path: true", []string{"connectors::sli::wire_path"}},
		"destinations": {"yaml:processors::tail_sampling::destinations: [{id: otlp_grpc/backend, bytes: true}]",
			[]string{"processors::tail_sampling::destinations"}},
		"a request size below the least": {to("max_request_size: 1KiB"), []string{"max_request_size"}},
		"an unknown value":               {"yaml:processors::tail_sampling::when_full: explode", []string{"when_full", "give_up", "refuse"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, builtGateway(t), nil, c.config)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, g.program, g.configs...)
			cmd.Env = append(cmd.Environ(), g.env...)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.True(t, errors.As(err, &exit), "the gateway started: %v", err)
			assert.Equal(t, 1, exit.ExitCode(), "%s", tail(out, 2000))
			for _, want := range c.want {
				assert.Contains(t, string(out), want)
			}
		})
	}

	// Without these keys, the exporter's queue and retries are off.
	b := startBackend(t)
	g := newGateway(t, builtGateway(t), []string{}, "testdata/delivery.yaml",
		`yaml:{exporters: {otlp_grpc/plain: {endpoint: "`+b.grpc+`", tls: {insecure: true}}}, service: {pipelines: {traces/sampled: {exporters: [otlp_grpc/plain]}}}}`)
	g.start(t)
	sent := newTraffic(71).traces(5, boring)
	g.sendAll(t, sent)
	b.awaitAll(t, soon, sent)
}
