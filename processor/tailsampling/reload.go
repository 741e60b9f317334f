package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/policy"
)

// Source is where the processor's configuration comes from, so that its policies can be read again while it runs. Its
// methods may be called concurrently.
type Source interface {
	// Load resolves the whole configuration again, as at the start.
	Load(ctx context.Context) (*confmap.Conf, error)
	// OnHangup calls f, in a goroutine, whenever the user asks by a signal to read the policies again, until cancel was
	// called and has returned.
	OnHangup(f func(ctx context.Context)) (cancel func())
}

// Errors of Reload and Promote.
var (
	ErrInvalid  = errors.New("the policies stay as they are")
	ErrNoSource = errors.New("this gateway was built without a way to read its configuration again: restart it")
	ErrNoShadow = errors.New("there is no shadow: add policies under tail_sampling::shadow and reload")
)

// Policies are what decides now.
type Policies struct {
	Version  int          `json:"version"`
	Since    time.Time    `json:"since"`
	Policies []PolicyInfo `json:"policies"`
	Shadow   []PolicyInfo `json:"shadow,omitempty"`
	// Promoted says that they were the shadow's, which the configuration does not say yet.
	Promoted bool `json:"promoted"`
	// NeedsRestart are the processor's other keys that were changed in the configuration, as of the last reload.
	NeedsRestart []string `json:"needs_restart,omitempty"`
	// LastError is why the last reload failed, if it did.
	LastError *ReloadError `json:"last_error,omitempty"`
}

// ReloadError is a reload that failed.
type ReloadError struct {
	At     time.Time `json:"at"`
	Detail string    `json:"detail"`
}

// configured is what the current rules were made of, and what became of the last reload.
type configured struct {
	policies     []policy.Config
	shadow       *ShadowConfig
	promoted     bool
	needsRestart []string
	failed       *ReloadError
}

// Policies tells what decides now.
func (p *Sampler) Policies() Policies {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	return p.policies()
}

func (p *Sampler) policies() Policies {
	r, c := p.rules.Load(), &p.configured
	out := Policies{
		Version: r.version, Since: r.since.UTC(), Policies: infoOf(r.set),
		Promoted: c.promoted, NeedsRestart: c.needsRestart, LastError: c.failed,
	}
	if r.shadow != nil {
		out.Shadow = infoOf(r.shadow)
	}
	return out
}

// loadTimeout is how long reading the configuration may take, which can be elsewhere (--config https://…).
const loadTimeout = 30 * time.Second

// Reload reads the configuration again and makes its policies, and its shadow, the current ones. Where that fails, the
// policies stay as they are.
func (p *Sampler) Reload(ctx context.Context) (Policies, error) {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	cfg, err := p.load(ctx)

	p.swapping.Lock()
	defer p.swapping.Unlock()
	outcome := reloadFailed
	if err == nil {
		outcome, err = p.apply(cfg)
	}
	p.reloads[outcome].Add(1)
	if err != nil {
		p.configured.failed = &ReloadError{At: time.Now().UTC(), Detail: err.Error()}
		p.logger.Warn("policies cannot be reloaded: the version before stays", zap.Error(err), zap.Int("policy_version", p.rules.Load().version))
		return Policies{}, err
	}
	p.configured.failed = nil
	return p.policies(), nil
}

// apply takes the policies and the shadow from a configuration that was read again, and nothing else.
func (p *Sampler) apply(read *Config) (reloadOutcome, error) {
	c := &p.configured
	c.needsRestart = otherKeys(p.cfg, read)
	if len(c.needsRestart) > 0 {
		p.logger.Warn("other keys of tail_sampling than policies and shadow were changed: restart to apply them",
			zap.Strings("keys", c.needsRestart))
	}
	if !c.promoted && reflect.DeepEqual(c.policies, read.Policies) && reflect.DeepEqual(c.shadow, read.Shadow) {
		p.logger.Info("policies were reloaded and are the same", zap.Int("policy_version", p.rules.Load().version))
		return reloadUnchanged, nil
	}
	cfg := *p.cfg
	cfg.Policies, cfg.Shadow = read.Policies, read.Shadow
	if _, _, err := cfg.compileAll(p.logger); err != nil { // with the other keys as they were at the start
		return reloadFailed, fmt.Errorf("%w, because they do not go with the keys that need a restart: %w", ErrInvalid, err)
	}
	r, err := p.swap(func(version int) (*rules, error) { return p.successor(version, &cfg) })
	if err != nil {
		return reloadFailed, err
	}
	c.policies, c.shadow, c.promoted = cfg.Policies, cfg.Shadow, false
	for _, w := range r.warnings() {
		p.logger.Warn(w)
	}
	p.logger.Info("policies were reloaded", zap.Int("policy_version", r.version))
	return reloadChanged, nil
}

// successor makes rules that go on with what those counted that are current, where a policy is the same.
func (p *Sampler) successor(version int, cfg *Config) (*rules, error) {
	r, err := newRules(version, cfg, p.names, p.logger)
	if err != nil {
		return nil, err
	}
	before := p.rules.Load()
	r.set.Inherit(before.set)
	if r.shadow != nil && before.shadow != nil {
		r.shadow.Inherit(before.shadow)
	}
	return r, nil
}

// load reads the processor's configuration, and validates it.
func (p *Sampler) load(ctx context.Context) (*Config, error) {
	if p.source == nil {
		return nil, ErrNoSource
	}
	conf, err := p.source.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w, because the configuration cannot be read: %w", ErrInvalid, err)
	}
	key := "processors::" + p.id.String()
	if !conf.IsSet(key) {
		return nil, fmt.Errorf("%w, because %s is not in the configuration any more", ErrInvalid, key)
	}
	cfg := createDefaultConfig().(*Config)
	own, err := conf.Sub(key)
	if err == nil {
		err = own.Unmarshal(cfg)
	}
	if err == nil {
		err = confmap.Validate(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("%w, because the configuration is not valid: %s: %w", ErrInvalid, key, err)
	}
	return cfg, nil
}

// otherKeys are the keys, but for policies and shadow, in which configurations differ.
func otherKeys(a, b *Config) (keys []string) {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		key := x.Type().Field(i).Tag.Get("mapstructure")
		if key != "policies" && key != "shadow" && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Promote makes the shadow's policies the current ones, until the next reload or restart. There is no shadow then.
func (p *Sampler) Promote() (Policies, error) {
	p.swapping.Lock()
	defer p.swapping.Unlock()
	before := p.rules.Load()
	if before.shadow == nil {
		return Policies{}, ErrNoShadow
	}
	r, err := p.swap(func(version int) (*rules, error) { return rulesOf(version, before.shadow, nil, p.names) })
	if err != nil {
		return Policies{}, err
	}
	p.configured.promoted = true
	p.logger.Info("the shadow's policies were promoted, until the next reload or restart", zap.Int("policy_version", r.version))
	return p.policies(), nil
}
