package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/conffile"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Source is where the processor's configuration comes from, so that its policies can be read again while it runs. Its
// methods may be called concurrently.
type Source interface {
	// Load resolves the whole configuration again, as at the start.
	Load(ctx context.Context) (*confmap.Conf, error)
	// OnHangup calls f, in a goroutine, whenever the user asks by a signal to read the policies again, until cancel was
	// called and has returned.
	OnHangup(f func(ctx context.Context)) (cancel func())
	// Locations returns the places that the configuration is read from, those that override others after them.
	Locations(ctx context.Context) ([]Location, error)
}

// Location is a place that configuration is read from.
type Location = conffile.Location

// Errors of Reload and Promote.
var (
	ErrInvalid  = errors.New("the policies stay as they are")
	ErrNoSource = errors.New("this gateway was built without a way to read its configuration again: restart it")
	ErrNoShadow = errors.New("there is no shadow: add policies under tail_sampling::shadow and reload")
)

// Policies are the current policies.
type Policies struct {
	Version  int
	Since    time.Time
	Policies []version.PolicyInfo
	Shadow   []version.PolicyInfo
	// Promoted is set while these were the shadow's and the configuration does not have them yet.
	Promoted bool
	// NeedsRestart are the other keys that were changed in the configuration, as of the last reload: first the processor's, then those
	// of the rest of the configuration, with what they stand under.
	NeedsRestart []string
	// LastError is why the last reload failed, if it did.
	LastError *ReloadError
}

// ReloadError is a reload that failed.
type ReloadError struct {
	At     time.Time
	Detail string
}

// policies are the versions of a sampler's policies, and how one follows another.
type policies struct {
	cfg      *Config
	logger   *zap.Logger
	versions *version.Versions
	id       component.ID
	source   Source // nil where the configuration cannot be read again
	buffer   *buffer.Buffer
	reloads  *[status.Outcomes]atomic.Int64

	started  *confmap.Conf // the whole configuration at the start; nil where it could not be read
	reading  sync.Mutex    // held while the configuration is read again
	swapping sync.Mutex    // held while the current version is changed, and what follows
	current  configured
}

// configured is what the current version was made of, and what became of the last reload.
type configured struct {
	policies     []policy.Config
	rules        []policy.RuleConfig
	shadow       *ShadowConfig
	promoted     bool
	needsRestart []string
	failed       *ReloadError
}

// compileFirst compiles the first version. Policies follow it after open.
func compileFirst(cfg *Config, names *version.Names, logger *zap.Logger) (*policies, *version.Version, error) {
	p := &policies{cfg: cfg, logger: logger, current: configured{policies: cfg.Policies, rules: cfg.Rules, shadow: cfg.Shadow}}
	v, err := p.compile(1, cfg, names)
	if err != nil {
		return nil, nil, err
	}
	p.versions = version.NewVersions(names, v)
	return p, v, nil
}

func (p *policies) compile(number int, cfg *Config, names *version.Names) (*version.Version, error) {
	set, shadow, err := cfg.compileAll(p.logger)
	if err != nil {
		return nil, err
	}
	return version.New(number, set, shadow, names)
}

// open lets versions follow the first: read from the source for the processor with this ID, and swapped in the buffer.
func (p *policies) open(id component.ID, source Source, b *buffer.Buffer, reloads *[status.Outcomes]atomic.Int64) {
	p.id, p.source, p.buffer, p.reloads = id, source, b, reloads
}

// listen reloads when a signal asks for it, or what is watched has changed, until cancel is called. What goes wrong is logged by take.
func (p *policies) listen() (cancel func()) {
	if p.source == nil {
		if p.cfg.Watch > 0 {
			p.logger.Warn("watch has no effect", zap.Error(ErrNoSource))
		}
		return func() {}
	}
	ctx, done := context.WithTimeout(context.Background(), loadTimeout)
	defer done()
	p.started, _ = p.source.Load(ctx) // as the Collector just did; else changes are not told
	p.logWaits(ctx)
	forget, stop := p.source.OnHangup(func(ctx context.Context) { _, _ = p.reload(ctx) }), p.watch()
	return func() {
		forget()
		stop()
	}
}

// describe returns the current policies.
func (p *policies) describe() Policies {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	return p.describeLocked()
}

func (p *policies) describeLocked() Policies {
	v, c := p.versions.Current(), &p.current
	return Policies{
		Version: v.Number, Since: v.Since.UTC(), Policies: version.InfoOf(v.Set), Shadow: version.InfoOf(v.Shadow),
		Promoted: c.promoted, NeedsRestart: c.needsRestart, LastError: c.failed,
	}
}

// loadTimeout is how long reading the configuration may take, which can be elsewhere (--config https://…).
const loadTimeout = 30 * time.Second

func (p *policies) reload(ctx context.Context) (Policies, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return p.take(p.load(ctx))
}

// reading is the configuration as it was read once: the processor's, and the whole. Where that could not be, err is why.
type reading struct {
	cfg   *Config
	whole *confmap.Conf
	err   error
}

// take makes the policies of a configuration that was read the current ones.
func (p *policies) take(r reading) (Policies, error) {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	outcome, err := status.ReloadFailed, r.err
	if err == nil {
		p.noticeOthers(r.cfg, r.whole)
		outcome, err = p.apply(r.cfg)
	}
	p.reloads[outcome].Add(1)
	if err != nil {
		p.current.failed = &ReloadError{At: clock.Now().UTC(), Detail: err.Error()}
		p.logger.Warn("policies cannot be reloaded: the version before stays", zap.Error(err), zap.Int("policy_version", p.versions.Current().Number))
		return Policies{}, err
	}
	p.current.failed = nil
	return p.describeLocked(), nil
}

// apply takes the policies and the shadow from a configuration that was read again, and nothing else.
func (p *policies) apply(read *Config) (status.Outcome, error) {
	c := &p.current
	if !c.promoted && reflect.DeepEqual(c.policies, read.Policies) && reflect.DeepEqual(c.rules, read.Rules) && reflect.DeepEqual(c.shadow, read.Shadow) {
		p.logger.Info("policies were reloaded and are the same", zap.Int("policy_version", p.versions.Current().Number))
		return status.ReloadUnchanged, nil
	}
	cfg := *p.cfg
	cfg.Policies, cfg.Rules, cfg.Shadow = read.Policies, read.Rules, read.Shadow
	if _, _, err := cfg.compileAll(p.logger); err != nil { // with the other keys as they were at the start
		return status.ReloadFailed, fmt.Errorf("%w, because they do not go with the keys that need a restart: %w", ErrInvalid, err)
	}
	v, err := p.swap(func(number int) (*version.Version, error) { return p.successor(number, &cfg) })
	if err != nil {
		return status.ReloadFailed, err
	}
	c.policies, c.rules, c.shadow, c.promoted = cfg.Policies, cfg.Rules, cfg.Shadow, false
	for _, w := range v.Warnings() {
		p.logger.Warn(w)
	}
	p.logger.Info("policies were reloaded", zap.Int("policy_version", v.Number))
	return status.ReloadChanged, nil
}

// successor makes a version that goes on with what the current one counted, where a policy is the same.
func (p *policies) successor(number int, cfg *Config) (*version.Version, error) {
	v, err := p.compile(number, cfg, p.versions.Names)
	if err == nil {
		v.Follow(p.versions.Current())
	}
	return v, err
}

// load reads the whole configuration, and the processor's, which it validates.
func (p *policies) load(ctx context.Context) (r reading) {
	if p.source == nil {
		return reading{err: ErrNoSource}
	}
	if r.whole, r.err = p.source.Load(ctx); r.err != nil {
		return reading{err: fmt.Errorf("%w, because the configuration cannot be read: %w", ErrInvalid, r.err)}
	}
	key := "processors::" + p.id.String()
	if !r.whole.IsSet(key) {
		return reading{err: fmt.Errorf("%w, because %s is not in the configuration any more", ErrInvalid, key)}
	}
	r.cfg = createDefaultConfig().(*Config)
	own, err := r.whole.Sub(key)
	if err == nil {
		err = own.Unmarshal(r.cfg)
	}
	if err == nil {
		err = confmap.Validate(r.cfg)
	}
	if err != nil {
		return reading{err: fmt.Errorf("%w, because the configuration is not valid: %s: %w", ErrInvalid, key, err)}
	}
	return r
}

// promote makes the shadow's policies the current ones.
func (p *policies) promote() (Policies, error) {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	before := p.versions.Current()
	if before.Shadow == nil {
		return Policies{}, ErrNoShadow
	}
	v, err := p.swap(func(number int) (*version.Version, error) {
		return version.New(number, before.Shadow, nil, p.versions.Names)
	})
	if err != nil {
		return Policies{}, err
	}
	p.current.promoted = true
	p.logger.Info("the shadow's policies were promoted, until the next reload or restart", zap.Int("policy_version", v.Number))
	return p.describeLocked(), nil
}
