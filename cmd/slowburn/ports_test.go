package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listeningConfig is a configuration with every listener of the distribution.
const listeningConfig = `
receivers: {otlp: {protocols: {grpc: {endpoint: "GRPC"}, http: {endpoint: "HTTP"}}}}
exporters: {debug: {}, otlp_grpc/backend: {endpoint: "GRPC", tls: {insecure: true}}}
extensions:
  web: {endpoint: "WEB"}
  health_check: {endpoint: "HEALTH"}
  pprof: {endpoint: "PPROF"}
  zpages: {endpoint: "ZPAGES"}
service:
  extensions: [web, health_check, pprof, zpages]
  telemetry: {logs: {level: error}, metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: TELEMETRY}}}}]}}
  pipelines: {traces: {receivers: [otlp], exporters: [debug, otlp_grpc/backend]}}
`

// listeners maps the names of its addresses to their keys.
var listeners = map[string]string{
	"GRPC":      "receivers::otlp::protocols::grpc::endpoint",
	"HTTP":      "receivers::otlp::protocols::http::endpoint",
	"WEB":       "extensions::web::endpoint",
	"HEALTH":    "extensions::health_check::endpoint",
	"PPROF":     "extensions::pprof::endpoint",
	"ZPAGES":    "extensions::zpages::endpoint",
	"TELEMETRY": "service::telemetry::metrics::readers[0]::pull::exporter::prometheus::port",
}

// startFails runs the gateway with addresses in place of the names, any free one by default, and returns its start error.
func startFails(t *testing.T, addresses map[string]string) error {
	text := listeningConfig
	for name := range listeners {
		address := addresses[name]
		switch {
		case address == "" && name == "TELEMETRY":
			address = "0"
		case address == "":
			address = "127.0.0.1:0"
		}
		text = strings.ReplaceAll(text, name, address)
	}
	_, err := slowburnSays(t, "--config", "yaml:"+text)
	require.Error(t, err)
	return err
}

// TestBusyPortsNameTheirKey checks that the error of a port in use names the key, and says what to write.
func TestBusyPortsNameTheirKey(t *testing.T) {
	for name, key := range listeners {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to cancel
			require.NoError(t, err)
			defer func() { _ = l.Close() }()
			busy, port := l.Addr().String(), l.Addr().(*net.TCPAddr).Port
			value := busy
			if name == "TELEMETRY" {
				value = fmt.Sprint(port)
			}
			err = startFails(t, map[string]string{name: value})
			assert.ErrorContains(t, err, key+": "+busy+" is in use by another process; stop that one, or write another port, such as ")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// TestAddressesThatCannotBeListenedOn checks that errors with other reasons name the key, too.
func TestAddressesThatCannotBeListenedOn(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to cancel
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		addresses map[string]string
		want      string // a regular expression
	}{
		"two of the configuration":     {map[string]string{"GRPC": address, "HTTP": address}, `^receivers::otlp::protocols::\w+::endpoint: ` + address + ` is the address of receivers::otlp::protocols::\w+::endpoint too; write another port, such as 127.0.0.1:\d+$`},
		"one on all addresses":         {map[string]string{"WEB": address, "PPROF": "0.0.0.0:" + port}, `^extensions::\w+::endpoint: \S+ is the address of extensions::\w+::endpoint too; write another port`},
		"the gateway's own metrics":    {map[string]string{"WEB": address, "TELEMETRY": port}, `::port: ` + address + ` is the port of extensions::web::endpoint too; write another port, such as \d+$|^extensions::web::endpoint: ` + address + ` is the address of service::telemetry::`},
		"an address of another's":      {map[string]string{"HEALTH": "192.0.2.1:0"}, `^extensions::health_check::endpoint: 192.0.2.1:0 is no address of this machine; write one that it has, or 0.0.0.0 for all of them$`},
		"a port that cannot be":        {map[string]string{"WEB": "127.0.0.1:70000"}, `^extensions::web::endpoint: 127.0.0.1:70000 cannot be listened on; write `},
		"an exporter's is no listener": {map[string]string{"GRPC": "192.0.2.1:0"}, `^receivers::otlp::protocols::grpc::endpoint: `},
	} {
		t.Run(name, func(t *testing.T) { assert.Regexp(t, c.want, startFails(t, c.addresses).Error()) })
	}
}
