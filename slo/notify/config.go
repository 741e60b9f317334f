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
	// Webhook is where alerts are posted, and how.
	Webhook confighttp.ClientConfig `mapstructure:"webhook"`
	// SendResolved also tells the receiver when an alert is over. Default true.
	SendResolved bool `mapstructure:"send_resolved"`
	// Severities are the ones that the receiver is told of. Default all.
	Severities []slo.Severity `mapstructure:"severities"`

	// undecoded is what decoding found wrong. It is kept for Problems, whose caller tells it with the receiver's name.
	undecoded error
}

var _ confmap.Unmarshaler = (*Config)(nil)

const defaultTimeout = 10 * time.Second

// Unmarshal reads a receiver over the defaults. What it finds wrong is told by Problems.
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

// checkKeys is strict about the keys of the webhook too, which confighttp, made to be embedded, is not.
func checkKeys(conf *confmap.Conf) error {
	type strict confighttp.ClientConfig
	webhook, err := conf.Sub("webhook")
	if err == nil {
		err = webhook.Unmarshal(&strict{})
	}
	return spec.At("webhook", err)
}

// Problems says what is wrong with the receiver. The Collector would call it Validate, and put the receiver's place
// before the first of its lines only.
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

// Route is what the receiver wants to be told.
func (c *Config) Route() alert.Route {
	return alert.Route{Receiver: c.Name, Severities: slices.Clone(c.Severities), SendResolved: c.SendResolved}
}
