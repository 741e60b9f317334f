package notify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/spec"
)

// Config is an entry of the list `receivers`.
type Config struct {
	Name string `mapstructure:"name"`
	// Webhook is the HTTP client that posts alerts, and its endpoint.
	Webhook confighttp.ClientConfig `mapstructure:"webhook"`
	// SendResolved also notifies the receiver when an alert is over. Default true.
	SendResolved bool `mapstructure:"send_resolved"`
	// Severities are the severities that the receiver is notified of. Default all.
	Severities []slo.Severity `mapstructure:"severities"`

	// undecoded is the error of decoding. Problems returns it, because its caller adds the receiver's name.
	undecoded error
}

var _ confmap.Unmarshaler = (*Config)(nil)

const defaultTimeout = 10 * time.Second

// Unmarshal decodes a receiver over the defaults. It returns no error: Problems does.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	type plain Config
	*c = Config{Webhook: confighttp.NewDefaultClientConfig(), SendResolved: true}
	c.Webhook.Timeout = defaultTimeout
	c.undecoded = errors.Join(conf.Unmarshal((*plain)(c)), checkKeys(conf))
	if c.Severities == nil {
		c.Severities = []slo.Severity{slo.Page, slo.Ticket}
	}
	return nil
}

// checkKeys rejects unknown keys of the webhook, which confighttp accepts because it is made to be embedded.
func checkKeys(conf *confmap.Conf) error {
	type strict confighttp.ClientConfig
	webhook, err := conf.Sub("webhook")
	if err == nil {
		err = webhook.Unmarshal(&strict{})
	}
	return spec.At("webhook", err)
}

// Problems returns what is wrong with the receiver. It is not called Validate because the Collector would call that, and prefix
// only the first of its lines with the receiver's place.
func (c *Config) Problems() error {
	if c.undecoded != nil {
		return c.undecoded
	}
	var errs []error
	if err := slo.CheckName(c.Name); err != nil {
		errs = append(errs, err)
	}
	u, err := url.Parse(c.Webhook.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("webhook::endpoint: %q is no URL; write one such as http://127.0.0.1:9000/hook", c.Webhook.Endpoint))
	}
	if c.Webhook.Timeout <= 0 {
		errs = append(errs, errors.New("webhook::timeout: is not above 0; write a duration such as 10s, after which a receiver that hangs is given up"))
	}
	for i, s := range c.Severities {
		if s != slo.Page && s != slo.Ticket {
			errs = append(errs, fmt.Errorf("severities[%d]: %q is not one of page, ticket", i, s))
		}
	}
	if len(c.Severities) == 0 {
		errs = append(errs, errors.New("severities: is empty, so that the receiver gets no alert; write page, ticket or both"))
	}
	return errors.Join(errs...)
}

// Route returns which alerts the receiver is notified of.
func (c *Config) Route() alert.Route {
	return alert.Route{Receiver: c.Name, Severities: slices.Clone(c.Severities), SendResolved: c.SendResolved}
}
