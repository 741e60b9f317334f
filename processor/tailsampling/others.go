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

// reloaded are the keys that a reload applies.
var reloaded = []string{"policies", "rules", "shadow"}

// noticeOthers remembers and logs changes of other keys, which only a restart applies.
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

// isReloaded reports whether a reload applies a key of the whole configuration: one of this tail_sampling processor or of another.
func isReloaded(key string) bool {
	parts := strings.Split(key, confmap.KeyDelimiter)
	const section, id, name, depth = 0, 1, 2, 3
	if len(parts) != depth || parts[section] != "processors" {
		return false
	}
	kind, _, _ := strings.Cut(parts[id], "/")
	return kind == metadata.Type.String() && slices.Contains(reloaded, parts[name])
}

// otherKeys returns the keys in which configurations differ and which a reload does not apply.
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

// logWaits logs the waits that are missing in the file with the policies, as in a file for contrib's processor: the value that
// applies, and its origin.
func (p *policies) logWaits(ctx context.Context) {
	locations, err := p.source.Locations(ctx)
	if err != nil {
		p.logger.Warn("cannot find where the waits are set", zap.Error(err))
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
		p.logger.Info("the file with the policies does not set a wait: "+w.Key, zap.Stringer("holds", v.here), zap.String("because", why),
			zap.String("policies_in", w.Policies), zap.Stringer("default_of_contrib", v.contrib))
	}
}
