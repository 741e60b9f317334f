package otlp

import (
	"sync"

	"go.opentelemetry.io/collector/receiver"
)

// factory keeps the instances that it made, because the Collector asks for one per signal and both have to share the
// listeners.
type factory struct {
	mu        sync.Mutex
	instances map[*Config]*otlpReceiver
}

// instance returns the receiver of the configuration. It is forgotten when it shuts down.
func (f *factory) instance(set receiver.Settings, cfg *Config) *otlpReceiver {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.instances[cfg]; ok {
		return r
	}
	r := &otlpReceiver{cfg: cfg, set: set, grace: shutdownGrace, forget: func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.instances, cfg)
	}}
	f.instances[cfg] = r
	return r
}
