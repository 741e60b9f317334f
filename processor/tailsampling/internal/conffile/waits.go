package conffile

import "go.opentelemetry.io/collector/confmap"

// Location is a place that configuration was read from.
type Location struct {
	// Name is for people: a file's, or what else was given.
	Name string
	// Conf is what it says by itself.
	Conf *confmap.Conf
}

// Wait is a wait that the location with a processor's policies leaves to one before it, or to the default.
type Wait struct {
	Key string
	// Policies is the name of the location with the policies, and From that of the one that sets the wait, empty where none does.
	Policies, From string
}

// waits are the keys of the waits.
var waits = []string{"decision_wait", "decision_wait_after_root_received", "revive_window"}

// Inherited returns the waits of the processor under key that are set neither by the last of the locations with its policies or
// rules nor by one after it. Locations after others override them.
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
