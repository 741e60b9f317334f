package tailsampling

import (
	"sync"
	"time"
)

// mostVersions is how many of the latest versions are known by the names of their policies.
const mostVersions = 256

// versions are the latest versions of the policies. It is safe for concurrent use.
type versions struct {
	mu   sync.RWMutex
	list []version // by number, ascending
}

// version is what is told of a version.
type version struct {
	number           int
	since            time.Time
	policies, shadow []PolicyInfo
}

// PolicyInfo names a policy.
type PolicyInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func (v *versions) add(r *rules) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) == mostVersions {
		v.list = append([]version(nil), v.list[1:]...)
	}
	one := version{number: r.version, since: r.since, policies: infoOf(r.set)}
	if r.shadow != nil {
		one.shadow = infoOf(r.shadow)
	}
	v.list = append(v.list, one)
}

func (v *versions) of(number int) (version, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if i := number - v.list[0].number; i >= 0 && i < len(v.list) {
		return v.list[i], true
	}
	return version{}, false
}
