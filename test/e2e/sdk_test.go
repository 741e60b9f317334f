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

// sdk is a program of sdk/, with the command line of the SDK's documentation.
type sdk struct {
	name, dir string
	command   []string
	// fallback is the SDK's default protocol.
	fallback string
	env      []string
	// tellsHTTP and tellsGRPC report whether the SDK logs the text of HTTP and gRPC answers. The gateway's log always has it.
	tellsHTTP, tellsGRPC bool
}

var sdks = []sdk{
	{
		name: "python", dir: "sdk/python", command: []string{".venv/bin/opentelemetry-instrument", ".venv/bin/python", "app.py"},
		fallback: "grpc", tellsGRPC: true, // of HTTP answers it logs the status only
	},
	{
		name: "javascript", dir: "sdk/javascript", command: []string{"node", "--require", "@opentelemetry/auto-instrumentations-node/register", "app.js"},
		fallback: "http/protobuf", // it logs nothing without OTEL_LOG_LEVEL
		// Detectors that request a cloud's metadata are off.
		env: []string{"OTEL_NODE_RESOURCE_DETECTORS=env,host,os,process"},
	},
	{
		name: "java", dir: "sdk/java", command: []string{"java", "-XX:TieredStopAtLevel=1", "-javaagent:lib/opentelemetry-javaagent.jar", "-cp", "lib", "App"},
		fallback: "http/protobuf", tellsHTTP: true, tellsGRPC: true,
		// Other instrumentations are off, for a faster start.
		env: []string{"OTEL_INSTRUMENTATION_COMMON_DEFAULT_ENABLED=false", "OTEL_INSTRUMENTATION_JAVA_HTTP_CLIENT_ENABLED=true"},
	},
}

// run runs the program with a service name and variables of the SDK, and returns its output.
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
	for _, v := range os.Environ() { // without the machine's variables for SDKs
		if !strings.HasPrefix(v, "OTEL_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(append(cmd.Env, "OTEL_SERVICE_NAME="+service), s.env...), variables...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// came reports whether the gateway has counted a span of the service.
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

// Real SDKs send spans with the variables of README, with those for gRPC, and with the endpoint only. With the port of the other protocol
// they send none, and the gateway's log has the variable to set, as does the SDK's log if it has answers.
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
