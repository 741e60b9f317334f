package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/cmd/slowburn/internal/checks"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/greeting"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/memory"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/rehearsal"
	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling"
)

// source reads the configuration again, for components that can change while they run. It implements
// tailsampling.Source.
type source struct {
	settings confmap.ResolverSettings
	given    []string // URIs of --config; empty without it
	set      []string // values of --set, as URIs

	mu        sync.Mutex
	listeners []*listener

	units *checks.Units

	memory *memory.Plan // nil until it is known
	open   []string     // warnings about the directories
	said   sync.Once

	greeting greeting.Greeting
}

// shareMemory sets GOMEMLIMIT and computes how the configuration shares the memory limit. It returns an error if the shares
// exceed the limit. The Collector reports other errors of the configuration.
func (s *source) shareMemory(ctx context.Context) error {
	limit, _ := cgroup.Limit()
	goLimit, set := memory.Apply(limit)
	settings := s.settings
	settings.URIs, settings.DefaultScheme = s.uris(), "env"
	provider, err := otelcol.NewConfigProvider(otelcol.ConfigProviderSettings{ResolverSettings: settings})
	if err != nil {
		return nil //nolint:nilerr // the Collector's to say
	}
	defer func() { _ = provider.Shutdown(ctx) }()
	all, err := factories(s)
	if err != nil {
		return err
	}
	cfg, err := provider.Get(ctx, all)
	if err != nil {
		return nil //nolint:nilerr // the Collector's to say
	}
	plan := memory.Of(cfg, limit, goLimit, set)
	if err := plan.Check(); err != nil {
		return err
	}
	s.memory = &plan
	return nil
}

// sayFirst logs how memory is shared, and what is odd about the directories, to the first core that it is called with. It returns core.
func (s *source) sayFirst(core zapcore.Core) zapcore.Core {
	if s.memory == nil {
		return core
	}
	s.said.Do(func() {
		log := func(level zapcore.Level, message string, fields ...zap.Field) {
			core.Check(zapcore.Entry{Level: level, Time: clock.Now(), Message: message}, nil).Write(fields...)
		}
		log(zapcore.InfoLevel, "Memory is shared", s.memory.Fields()...)
		for _, w := range s.open {
			log(zapcore.WarnLevel, w)
		}
	})
	return core
}

// listener is called for each SIGHUP, one call after the other.
type listener struct {
	mu      sync.Mutex
	f       func(context.Context)
	stopped bool
}

// check returns an error with all problems of the components' configurations, a line each, or the error of a file. The Collector
// reports problems between components.
func (s *source) check(ctx context.Context) error {
	settings := s.settings
	settings.ConverterFactories = nil // they convert the whole configuration
	for _, uri := range s.uris() {
		if _, err := s.resolve(ctx, settings, []string{uri}); err != nil {
			return fmt.Errorf("%s: %w", s.nameOf(uri), err)
		}
	}
	conf, err := s.resolve(ctx, settings, s.uris())
	if err != nil {
		return err
	}
	if !conf.IsSet("service::pipelines") && len(s.given) > 0 {
		return fmt.Errorf("there are no service::pipelines: --config %[1]s replaces the configuration that slowburn is shipped with; "+
			"put --config config.yaml before it to add to that one (`slowburn config default` writes it): slowburn --config config.yaml --config %[1]s",
			s.given[0])
	}
	list, err := checks.Problems(conf, s.factories)
	if err != nil || len(list) == 0 {
		return err
	}
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = "  " + p.String()
	}
	what := "1 problem"
	if len(list) > 1 {
		what = fmt.Sprintf("%d problems", len(list))
	}
	return fmt.Errorf("the configuration has %s:\n%s", what, strings.Join(lines, "\n"))
}

// factories returns the factories of all components.
func (s *source) factories() (otelcol.Factories, error) { return factories(s) }

// Load implements tailsampling.Source. It reads the configuration as the Collector does at the start: from the same
// locations and environment, with the same converters.
func (s *source) Load(ctx context.Context) (*confmap.Conf, error) {
	return s.resolve(ctx, s.settings, s.uris())
}

// written returns the configuration as it is written, before converters add to it.
func (s *source) written(ctx context.Context) (*confmap.Conf, error) {
	settings := s.settings
	settings.ConverterFactories = nil
	return s.resolve(ctx, settings, s.uris())
}

// uris returns the locations of the configuration. Later ones override earlier ones.
func (s *source) uris() []string {
	if uris := slices.Concat(s.given, s.set); len(uris) > 0 {
		return uris
	}
	return s.settings.URIs
}

// Locations implements tailsampling.Source.
func (s *source) Locations(ctx context.Context) ([]tailsampling.Location, error) {
	settings := s.settings
	settings.ConverterFactories = nil // they convert the whole configuration
	var locations []tailsampling.Location
	for _, uri := range s.uris() {
		conf, err := s.resolve(ctx, settings, []string{uri})
		if err != nil {
			return nil, err
		}
		locations = append(locations, tailsampling.Location{Name: s.nameOf(uri), Conf: conf})
	}
	return locations, nil
}

// nameOf returns the name of a location for messages.
func (s *source) nameOf(uri string) string {
	switch {
	case len(s.given)+len(s.set) == 0:
		return "the shipped configuration"
	case slices.Contains(s.set, uri):
		return "--set"
	case strings.HasPrefix(uri, "yaml:"):
		return "--config yaml:…"
	}
	if u, err := url.Parse(uri); err == nil {
		return u.Redacted()
	}
	return uri
}

func (s *source) resolve(ctx context.Context, settings confmap.ResolverSettings, uris []string) (_ *confmap.Conf, err error) {
	settings.URIs = uris
	if settings.DefaultScheme == "" {
		settings.DefaultScheme = "env" // as the Collector's command does
	}
	resolver, err := confmap.NewResolver(settings)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resolver.Shutdown(ctx)) }()
	return resolver.Resolve(ctx)
}

// config returns the configuration of all components.
func (s *source) config(ctx context.Context) (*otelcol.Config, error) { return s.read(ctx, nil) }

// read returns the configuration of all components. Logger, which may be nil, is of what reads files and the environment.
func (s *source) read(ctx context.Context, logger *zap.Logger) (*otelcol.Config, error) {
	all, err := factories(s)
	if err != nil {
		return nil, err
	}
	settings := s.settings
	settings.URIs, settings.DefaultScheme = s.uris(), cmp.Or(settings.DefaultScheme, "env")
	settings.ProviderSettings.Logger = logger
	provider, err := otelcol.NewConfigProvider(otelcol.ConfigProviderSettings{ResolverSettings: settings})
	if err != nil {
		return nil, err
	}
	defer func() { _ = provider.Shutdown(ctx) }()
	return provider.Get(ctx, all)
}

// rehearse makes the components of a configuration as a start does, and adds their warnings to lines. Components may change their
// configuration.
func (s *source) rehearse(ctx context.Context, cfg *otelcol.Config, lines *rehearsal.Lines) error {
	all, err := factories(s)
	if err != nil {
		return err
	}
	return rehearsal.Make(ctx, buildInfo(), all, cfg, lines)
}

// whole returns the configuration with the defaults of all keys that are not set.
func (s *source) whole(ctx context.Context) (*confmap.Conf, error) {
	cfg, err := s.config(ctx)
	if err != nil {
		return nil, err
	}
	conf := confmap.New()
	return conf, conf.Marshal(cfg)
}

// OnHangup implements tailsampling.Source.
func (s *source) OnHangup(f func(context.Context)) (cancel func()) {
	l := &listener{f: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
	return func() {
		s.mu.Lock()
		s.listeners = slices.DeleteFunc(s.listeners, func(other *listener) bool { return other == l })
		s.mu.Unlock()
		l.mu.Lock() // waits for a running call
		l.stopped = true
		l.mu.Unlock()
	}
}

// hangup calls the listeners.
func (s *source) hangup(ctx context.Context) {
	s.mu.Lock()
	listeners := slices.Clone(s.listeners)
	s.mu.Unlock()
	for _, l := range listeners {
		l.mu.Lock()
		if !l.stopped {
			l.f(ctx)
		}
		l.mu.Unlock()
	}
}

// watch remembers the values of the Collector's flags --config and --set, which its command does not expose.
func (s *source) watch(flags *pflag.FlagSet) {
	remember := func(name string, keep func(string)) {
		f := flags.Lookup(name)
		f.Value = flagValue{f.Value, keep}
	}
	remember("config", func(uri string) { s.given = append(s.given, uri) })
	remember("set", func(text string) { // as the Collector's command converts it
		key, value, _ := strings.Cut(text, "=")
		s.set = append(s.set, "yaml:"+strings.TrimSpace(strings.ReplaceAll(key, ".", "::"))+": "+strings.TrimSpace(value))
	})
}

// flagValue is a flag's value that passes each text it is set to on to tell.
type flagValue struct {
	pflag.Value
	tell func(string)
}

// Set implements pflag.Value.
func (v flagValue) Set(text string) error {
	if err := v.Value.Set(text); err != nil {
		return err
	}
	v.tell(text)
	return nil
}
