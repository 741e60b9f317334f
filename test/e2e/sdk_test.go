//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/api"
)

// sdk is a program of sdk/, run as the SDK's documentation says.
type sdk struct {
	name, dir string
	command   []string
	// fallback is the protocol of an SDK that is given none.
	fallback string
	env      []string
	// tells says which answers the SDK logs as they are: of HTTP and of gRPC. Those of the others are in the gateway's log.
	tellsHTTP, tellsGRPC bool
}

var sdks = []sdk{
	{
		name: "python", dir: "sdk/python", command: []string{".venv/bin/opentelemetry-instrument", ".venv/bin/python", "app.py"},
		fallback: "grpc", tellsGRPC: true, // of HTTP it logs the code and its name
	},
	{
		name: "javascript", dir: "sdk/javascript", command: []string{"node", "--require", "@opentelemetry/auto-instrumentations-node/register", "app.js"},
		fallback: "http/protobuf", // it logs nothing without OTEL_LOG_LEVEL
		// The detectors that ask a cloud for its metadata stay off: there is none.
		env: []string{"OTEL_NODE_RESOURCE_DETECTORS=env,host,os,process"},
	},
	{
		name: "java", dir: "sdk/java", command: []string{"java", "-XX:TieredStopAtLevel=1", "-javaagent:lib/opentelemetry-javaagent.jar", "-cp", "lib", "App"},
		fallback: "http/protobuf", tellsHTTP: true, tellsGRPC: true,
		// Only what this program needs is instrumented, which starts sooner.
		env: []string{"OTEL_INSTRUMENTATION_COMMON_DEFAULT_ENABLED=false", "OTEL_INSTRUMENTATION_JAVA_HTTP_CLIENT_ENABLED=true"},
	},
}

// run sends a trace of the service as the variables say, and returns what the SDK wrote.
func (s *sdk) run(t *testing.T, service string, variables ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	program := s.command[0]
	if strings.Contains(program, "/") {
		var err error
		program, err = filepath.Abs(filepath.Join(s.dir, program))
		require.NoError(t, err)
	}
	cmd := exec.CommandContext(ctx, program, s.command[1:]...)
	cmd.Dir = s.dir
	for _, v := range os.Environ() { // none of this machine's own
		if !strings.HasPrefix(v, "OTEL_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(append(cmd.Env, "OTEL_SERVICE_NAME="+service), s.env...), variables...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// came reports whether a span of the service was counted.
func (g *gateway) came(t *testing.T, service string) bool {
	t.Helper()
	var cost api.SamplingCost
	g.get(t, "/api/sampling/v1/cost", &cost)
	for _, s := range cost.Services {
		if s.Service == service {
			return s.SpansIn > 0
		}
	}
	return false
}

// Real SDKs: with the variables that README names, with those of gRPC, and with the endpoint alone, spans come. With the port of the
// other protocol, or the protocol of the other port, none does, and what to set is in the SDK's log where it logs answers,
// and in the gateway's.
func TestSDKs(t *testing.T) {
	t.Parallel()
	for _, s := range sdks {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, builtGateway(t), []string{"SLOWBURN_BACKEND=" + freePort(t)})
			g.start(t)
			at := map[string]string{"grpc": "http://" + g.grpc, "http/protobuf": "http://" + g.http}
			endpoint := func(protocol string) string { return "OTEL_EXPORTER_OTLP_ENDPOINT=" + at[protocol] }

			for i, right := range [][]string{
				{endpoint("http/protobuf"), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"},
				{endpoint("grpc"), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
				{endpoint(s.fallback)},
			} {
				service := fmt.Sprintf("right-%d", i)
				out := s.run(t, service, right...)
				require.Eventually(t, func() bool { return g.came(t, service) }, patience, 50*time.Millisecond, "%v: %s", right, out)
			}
			port := func(address string) string {
				_, p, err := net.SplitHostPort(address)
				require.NoError(t, err)
				return p
			}
			for _, wrong := range []struct {
				port, protocol, advice string
				tells                  bool
			}{
				{"grpc", "http/protobuf", "set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:" + port(g.http), s.tellsHTTP},
				{"http/protobuf", "grpc", "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", s.tellsGRPC},
			} {
				service := "wrong-" + wrong.port
				out := s.run(t, service, endpoint(wrong.port), "OTEL_EXPORTER_OTLP_PROTOCOL="+wrong.protocol)
				log, err := os.ReadFile(g.log)
				require.NoError(t, err)
				assert.Contains(t, string(log), wrong.advice, "the gateway's log")
				assert.Equal(t, wrong.tells, strings.Contains(out, wrong.advice), "%s to the port of %s: %s", wrong.protocol, wrong.port, out)
				assert.False(t, g.came(t, service))
			}
		})
	}
}
