package web

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
)

// Config is the `web` extension's part of the YAML: the Collector's own HTTP server settings (endpoint, tls, auth,
// cors, timeouts), and where the pages hang.
type Config struct {
	confighttp.ServerConfig `mapstructure:",squash"`

	// BasePath is the path prefix under which a reverse proxy shows the dashboard, such as /slowburn. Empty is the root.
	BasePath string `mapstructure:"base_path"`

	_ struct{}
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr = confignet.AddrConfig{Transport: confignet.TransportTypeTCP, Endpoint: "127.0.0.1:8080"}
	return &Config{ServerConfig: server}
}

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Transport == confignet.TransportTypeTCP {
		if _, _, err := net.SplitHostPort(c.NetAddr.Endpoint); err != nil {
			errs = append(errs, fmt.Errorf("endpoint: %q must be host:port, such as 127.0.0.1:8080", c.NetAddr.Endpoint))
		}
	}
	if p := c.BasePath; p != "" && (!strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/")) {
		errs = append(errs, fmt.Errorf("base_path: %q must start with a slash and not end with one, such as /slowburn", p))
	}
	return errors.Join(errs...)
}
