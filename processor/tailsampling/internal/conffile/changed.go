package conffile

import (
	"maps"
	"reflect"
	"slices"

	"go.opentelemetry.io/collector/confmap"
)

// Changed returns the sorted keys in which two configurations differ, each as deep as both sides have maps, such as
// exporters::otlp_grpc/backend::endpoint. Keys for which skip returns true are left out, with all keys below them.
func Changed(before, now *confmap.Conf, skip func(key string) bool) []string {
	return changed(nil, "", before.ToStringMap(), now.ToStringMap(), skip)
}

func changed(keys []string, above string, before, now map[string]any, skip func(key string) bool) []string {
	all := map[string]any{}
	maps.Copy(all, before)
	maps.Copy(all, now)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		key := above + name
		a, inBefore := before[name]
		b, inNow := now[name]
		if skip(key) || inBefore == inNow && reflect.DeepEqual(a, b) {
			continue
		}
		x, isMap := a.(map[string]any)
		y, isMapNow := b.(map[string]any)
		if (isMap || a == nil) && (isMapNow || b == nil) && len(x)+len(y) > 0 && inBefore && inNow {
			keys = changed(keys, key+confmap.KeyDelimiter, x, y, skip)
		} else {
			keys = append(keys, key)
		}
	}
	return keys
}
