package otlp

import (
	"errors"
	"fmt"
	"net/url"
	"path"

	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
)

// Config is the configuration of a receiver: that of the Collector's otlp receiver, and wire_path.
type Config struct {
	// Protocols to listen on. Those that are not named are off.
	Protocols Protocols `mapstructure:"protocols"`
	// WirePath passes trace requests on as the bytes that arrived. The converter of package wirepath sets it to true for
	// receivers whose pipelines can take them, to false for others with traces, and refuses what a user writes. It is nil
	// where the converter is not part of the distribution: then everything is decoded.
	WirePath *bool `mapstructure:"wire_path"`
}

func (c *Config) wirePath() bool { return c.WirePath != nil && *c.WirePath }

// Protocols are the ways in.
type Protocols struct {
	GRPC configoptional.Optional[configgrpc.ServerConfig] `mapstructure:"grpc"`
	HTTP configoptional.Optional[HTTPConfig]              `mapstructure:"http"`
}

// HTTPConfig is the configuration of OTLP over HTTP.
type HTTPConfig struct {
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// TracesURLPath is where traces are posted to. Default /v1/traces.
	TracesURLPath URLPath `mapstructure:"traces_url_path,omitempty"`
	// MetricsURLPath is where metrics are posted to. Default /v1/metrics.
	MetricsURLPath URLPath `mapstructure:"metrics_url_path,omitempty"`
}

// URLPath is the path of a URL. Its leading slash may be left out in YAML.
type URLPath string

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *URLPath) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil {
		return fmt.Errorf("no URL path: %w", err)
	}
	if !path.IsAbs(u.Path) {
		u.Path = "/" + u.Path
	}
	*p = URLPath(u.Path)
	return nil
}

// Validate implements confmap.Validator.
func (c *Config) Validate() error {
	if !c.Protocols.GRPC.HasValue() && !c.Protocols.HTTP.HasValue() {
		return errors.New("protocols must name grpc, http or both: add `protocols: {grpc: {}, http: {}}`")
	}
	return nil
}

// Validate implements confmap.Validator.
func (c *HTTPConfig) Validate() error {
	if c.TracesURLPath == c.MetricsURLPath {
		return fmt.Errorf("traces_url_path and metrics_url_path are both %q: make them differ", c.TracesURLPath)
	}
	return nil
}
