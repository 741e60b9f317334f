package tailsampling

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/conffile"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// reloaded are the keys that are read again.
var reloaded = []string{"policies", "rules", "shadow"}

// noticeOthers remembers and logs what else than policies, rules and shadow was changed in the configuration: a restart applies it.
func (p *policies) noticeOthers(read *Config, whole *confmap.Conf) {
	own := "processors" + confmap.KeyDelimiter + p.id.String() + confmap.KeyDelimiter
	p.current.needsRestart = otherKeys(p.cfg, read)
	var keys []string
	for _, key := range p.current.needsRestart {
		keys = append(keys, own+key)
	}
	if p.started != nil {
		others := conffile.Changed(p.started, whole, func(key string) bool { return strings.HasPrefix(key, own) || isReloaded(key) })
		p.current.needsRestart = append(p.current.needsRestart, others...)
		keys = append(keys, others...)
	}
	if len(keys) > 0 {
		p.logger.Warn("other keys than policies, rules and shadow of tail_sampling were changed: restart to apply them", zap.Strings("keys", keys))
	}
}

// isReloaded reports whether a key of the whole configuration is one that a tail_sampling processor, this one or another, reads again.
func isReloaded(key string) bool {
	parts := strings.Split(key, confmap.KeyDelimiter)
	const section, id, name, depth = 0, 1, 2, 3
	if len(parts) != depth || parts[section] != "processors" {
		return false
	}
	kind, _, _ := strings.Cut(parts[id], "/")
	return kind == metadata.Type.String() && slices.Contains(reloaded, parts[name])
}

// otherKeys are the keys, but for those that are read again, in which configurations differ.
func otherKeys(a, b *Config) (keys []string) {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		key := x.Type().Field(i).Tag.Get("mapstructure")
		if !slices.Contains(reloaded, key) && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}

// logWaits logs the waits that the file with the policies leaves to another one, as one that was written for contrib's processor
// does: which value holds, and why.
func (p *policies) logWaits(ctx context.Context) {
	locations, err := p.source.Locations(ctx)
	if err != nil {
		p.logger.Warn("where the waits are set cannot be told", zap.Error(err))
		return
	}
	values := map[string]struct{ here, contrib time.Duration }{
		"decision_wait":                     {p.cfg.DecisionWait, 30 * time.Second},
		"decision_wait_after_root_received": {p.cfg.DecisionWaitAfterRootReceived, 0},
		"revive_window":                     {p.cfg.ReviveWindow, 0},
	}
	for _, w := range conffile.Inherited(locations, "processors"+confmap.KeyDelimiter+p.id.String()) {
		v := values[w.Key]
		why := "it is the default"
		if w.From != "" {
			why = w.From + " sets it"
		}
		p.logger.Info("a wait is not set where the policies are: "+w.Key, zap.Stringer("holds", v.here), zap.String("because", why),
			zap.String("policies_in", w.Policies), zap.Stringer("default_of_contrib", v.contrib))
	}
}
