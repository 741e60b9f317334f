package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/units"
)

func loadConfig(t *testing.T, yaml string) (*Config, error) {
	t.Helper()
	parsed, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := parsed.AsConf()
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestDefaultConfig(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	cfg, err := loadConfig(t, "")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:8080", cfg.HTTP.NetAddr.Endpoint, "nobody from elsewhere, unless told otherwise")
	assert.Empty(t, cfg.BasePath)
	assert.GreaterOrEqual(t, cfg.HTTP.ReadTimeout, cfg.HTTP.WriteTimeout, "a shorter one ends the requests of long queries")
}

// TestConfig reads the server's keys and ours.
func TestConfig(t *testing.T) {
	cfg, err := loadConfig(t, `
endpoint: 127.0.0.1:9
base_path: /slow-burn/a.b
write_timeout: 2m
max_request_body_size: 5
auth: {authenticator: bearertokenauth}
keepalive: {idle_timeout: 3s}
response_headers: {X-Frame-Options: SAMEORIGIN}
hosts: [slowburn.example.com, "*.svc"]
operators: [ada]
max_connections: 9
max_header_size: 8KiB
`)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:9", cfg.HTTP.NetAddr.Endpoint)
	assert.Equal(t, "/slow-burn/a.b", cfg.BasePath)
	assert.Equal(t, 2*time.Minute, cfg.HTTP.WriteTimeout)
	assert.Equal(t, int64(5), cfg.HTTP.MaxRequestBodySize)
	assert.True(t, cfg.HTTP.Auth.HasValue())
	assert.Equal(t, []string{"slowburn.example.com", "*.svc"}, cfg.Hosts)
	assert.Equal(t, []string{"ada"}, cfg.Operators)
	assert.Equal(t, 9, cfg.MaxConnections)
	assert.Equal(t, units.Size(8<<10), cfg.MaxHeaderSize)
}

func TestBadConfig(t *testing.T) {
	for yaml, want := range map[string][]string{
		"endpoint: localhost":                              {`endpoint: "localhost" is not host:port`},
		"endpoint: ''":                                     {`endpoint: "" is not host:port`},
		"base_path: slowburn":                              {`base_path: "slowburn" is no path; write segments`},
		"base_path: /":                                     {"base_path"},
		"base_path: /slowburn/":                            {"base_path"},
		"base_path: //slowburn":                            {"base_path"},
		"base_path: /a/../b":                               {"base_path"},
		"base_path: /a b":                                  {"base_path"},
		"base_path: '/a\"><script>'":                       {"base_path"},
		"{endpoint: localhost, base_path: nope}":           {"endpoint", "base_path"},
		"hosts: [a.example, 'https://b']":                  {`hosts[1]: "https://b" is a URL`},
		"operators: [ada]":                                 {"operators: has no meaning without auth"},
		"{auth: {authenticator: a}, operators: [ada, '']}": {"operators[1]: is empty"},
		"{max_connections: 7}":                             {"max_connections: 7 is too few"},
		"{max_header_size: 4095}":                          {"max_header_size: 4095B is not from 4KiB to 1MiB"},
		"{max_header_size: 2MiB}":                          {"max_header_size: 2MiB is not from 4KiB to 1MiB"},
		"{basepath: /a, aut: {}}":                          {"basepath: is no key; write base_path, if that is meant", "aut: is no key; write auth"},
	} {
		_, err := loadConfig(t, yaml)
		for _, text := range want {
			assert.ErrorContains(t, err, text, yaml)
		}
	}
	cfg, err := loadConfig(t, "{transport: unix, endpoint: web.sock}")
	require.NoError(t, err)
	assert.Equal(t, "web.sock", cfg.HTTP.NetAddr.Endpoint)
}
