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

// Source reads the processor's configuration again while it runs. Its methods may be called concurrently.
type Source interface {
	// Load resolves the whole configuration again, as at the start.
	Load(ctx context.Context) (*confmap.Conf, error)
	// OnHangup calls f in a goroutine whenever a signal asks for a reload. After cancel has returned f is not called
	// any more.
	OnHangup(f func(ctx context.Context)) (cancel func())
	// Locations returns the places that the configuration is read from. Later ones override earlier ones.
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
	// Promoted reports whether these policies were the shadow's and are not in the configuration yet.
	Promoted bool
	// NeedsRestart are the changed keys that need a restart, as of the last reload: the processor's first, then the full names of all
	// others.
	NeedsRestart []string
	// LastError is the failure of the last reload, or nil.
	LastError *ReloadError
}

// ReloadError describes a failed reload.
type ReloadError struct {
	At     time.Time
	Detail string
}

// policies holds the versions of a sampler's policies and replaces the current one.
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
	swapping sync.Mutex    // held while the current version and its shards change
	current  configured
}

// configured is the configuration of the current version, and the outcome of the last reload.
type configured struct {
	policies     []policy.Config
	rules        []policy.RuleConfig
	shadow       *ShadowConfig
	promoted     bool
	needsRestart []string
	failed       *ReloadError
}

// compileFirst compiles the first version. The result accepts others after open.
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

// open allows later versions, read from source for the processor with this ID and swapped in the buffer.
func (p *policies) open(id component.ID, source Source, b *buffer.Buffer, reloads *[status.Outcomes]atomic.Int64) {
	p.id, p.source, p.buffer, p.reloads = id, source, b, reloads
}

// listen reloads at a signal, and with watch when the configuration has changed, until cancel is called. Failures are logged by take.
func (p *policies) listen() (cancel func()) {
	if p.source == nil {
		if p.cfg.Watch > 0 {
			p.logger.Warn("watch has no effect", zap.Error(ErrNoSource))
		}
		return func() {}
	}
	ctx, done := context.WithTimeout(context.Background(), loadTimeout)
	defer done()
	p.started, _ = p.source.Load(ctx) // the Collector has just read it; on an error, changes are not noticed
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

// loadTimeout limits the reading of a configuration, which can be remote (--config https://…).
const loadTimeout = 30 * time.Second

func (p *policies) reload(ctx context.Context) (Policies, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return p.take(p.load(ctx))
}

// reading is one reading of the configuration: the processor's part and the whole, or err.
type reading struct {
	cfg   *Config
	whole *confmap.Conf
	err   error
}

// take makes the policies of a configuration the current ones.
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
		p.logger.Warn("reloading the policies failed, the current version stays", zap.Error(err), zap.Int("policy_version", p.versions.Current().Number))
		return Policies{}, err
	}
	p.current.failed = nil
	return p.describeLocked(), nil
}

// apply takes the policies and the shadow from a configuration, and no other key.
func (p *policies) apply(read *Config) (status.Outcome, error) {
	c := &p.current
	if !c.promoted && reflect.DeepEqual(c.policies, read.Policies) && reflect.DeepEqual(c.rules, read.Rules) && reflect.DeepEqual(c.shadow, read.Shadow) {
		p.logger.Info("policies reloaded, unchanged", zap.Int("policy_version", p.versions.Current().Number))
		return status.ReloadUnchanged, nil
	}
	cfg := *p.cfg
	cfg.Policies, cfg.Rules, cfg.Shadow = read.Policies, read.Rules, read.Shadow
	if _, _, err := cfg.compileAll(p.logger); err != nil { // the other keys are as at the start
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
	p.logger.Info("policies reloaded", zap.Int("policy_version", v.Number))
	return status.ReloadChanged, nil
}

// successor makes the next version. A policy that is unchanged keeps its counts.
func (p *policies) successor(number int, cfg *Config) (*version.Version, error) {
	v, err := p.compile(number, cfg, p.versions.Names)
	if err == nil {
		v.Follow(p.versions.Current())
	}
	return v, err
}

// load reads the whole configuration and validates the processor's part.
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
	p.logger.Info("shadow's policies promoted until the next reload or restart", zap.Int("policy_version", v.Number))
	return p.describeLocked(), nil
}
