package batch

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/metadata"
)

// maxFamilies and maxText bound the memory of metadata: metric names are few unless a sender puts identifiers in them, and
// descriptions are short. Texts longer than maxText bytes are cut.
const (
	maxFamilies = 10_000
	maxText     = 512
)

// Families remembers the type, unit and description of each metric that was appended, for /api/v1/metadata. They are
// in memory only: a metric that is still written is known again seconds after a start. The zero value is ready.
type Families struct {
	mu     sync.RWMutex
	byName map[string]metadata.Metadata
}

func (f *Families) learn(name string, m metadata.Metadata) {
	m.Help, m.Unit = cut(m.Help), cut(m.Unit)
	f.mu.RLock()
	known, ok := f.byName[name]
	full := len(f.byName) >= maxFamilies
	f.mu.RUnlock()
	if name == "" || known == m && ok || full && !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byName == nil {
		f.byName = map[string]metadata.Metadata{}
	}
	// Clones, so that the request's memory can be freed.
	m.Help, m.Unit = strings.Clone(m.Help), strings.Clone(m.Unit)
	f.byName[strings.Clone(name)] = m
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	at := maxText
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at]
}

// Description is a metric as /api/v1/metadata shows it.
type Description struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// Describe returns up to limit metrics, all of them if limit is negative, or the one that is named.
func (f *Families) Describe(name string, limit int) map[string][]Description {
	f.mu.RLock()
	defer f.mu.RUnlock()
	described := map[string][]Description{}
	for known, m := range f.byName {
		if limit >= 0 && len(described) >= limit {
			break
		}
		if name == "" || name == known {
			described[known] = []Description{{Type: string(m.Type), Help: m.Help, Unit: m.Unit}}
		}
	}
	return described
}
