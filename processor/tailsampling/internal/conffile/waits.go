package conffile

import "go.opentelemetry.io/collector/confmap"

// Location is a place that configuration was read from.
type Location struct {
	// Name is shown to people: the name of a file, or the location as it was given.
	Name string
	// Conf is the content of this location alone.
	Conf *confmap.Conf
}

// Wait is a wait that the location with a processor's policies does not set: an earlier location or the
// default does.
type Wait struct {
	Key string
	// Policies names the location with the policies, From the one that sets the wait; From is empty if it is the default.
	Policies, From string
}

// waits are the keys of waits.
var waits = []string{"decision_wait", "decision_wait_after_root_received", "revive_window"}

// Inherited returns the waits of the processor under key that are set neither by the last of the locations with its policies or
// rules nor by one after it. Later locations override earlier ones.
func Inherited(locations []Location, key string) (inherited []Wait) {
	last := func(names ...string) int {
		for i := len(locations) - 1; i >= 0; i-- {
			for _, name := range names {
				if locations[i].Conf.IsSet(key + confmap.KeyDelimiter + name) {
					return i
				}
			}
		}
		return -1
	}
	section := last("policies", "rules")
	if section < 0 {
		return nil
	}
	for _, name := range waits {
		from := last(name)
		if from >= section {
			continue
		}
		w := Wait{Key: name, Policies: locations[section].Name}
		if from >= 0 {
			w.From = locations[from].Name
		}
		inherited = append(inherited, w)
	}
	return inherited
}
