package web

import (
	"net"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/web/internal/selfmetrics"
)

// Warnings returns what is odd about a valid configuration, as it is logged at the start.
func (c *Config) Warnings() (warnings []string) {
	if c.HTTP.Auth.HasValue() && len(c.Operators) == 0 {
		warnings = append(warnings, "nobody may reload, promote, retry or drain: web::auth is set and web::operators is empty; list subjects there")
	}
	return warnings
}

// Unguarded returns what is odd about where the gateway serves its own metrics, and that address, by the whole configuration; both are empty
// where nothing is. It is logged at the start.
func (c *Config) Unguarded(whole *confmap.Conf) (warning, address string) {
	address = selfmetrics.Endpoint(whole)
	if warning = c.unguarded(address); warning == "" {
		return "", ""
	}
	return warning, address
}

func (c *Config) unguarded(address string) string {
	if address == "" || !c.HTTP.Auth.HasValue() {
		return ""
	}
	host, _, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return ""
	}
	return "the gateway's own metrics can be read without credentials: web::auth does not guard that address; set the host of " +
		"service::telemetry::metrics to 127.0.0.1, and scrape /metrics of web"
}
