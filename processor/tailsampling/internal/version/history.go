package version

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/processor/policy"
)

// PolicyInfo names a policy.
type PolicyInfo struct {
	Name string
	Type string
}

// InfoOf lists the policies of a set, which may be nil.
func InfoOf(set *policy.Set) []PolicyInfo {
	if set == nil {
		return nil
	}
	list := make([]PolicyInfo, set.Len())
	for i := range list {
		list[i] = PolicyInfo{set.Name(i), string(set.Type(i))}
	}
	return list
}

// Info is what a version was made of.
type Info struct {
	Number           int
	Since            time.Time
	Policies, Shadow []PolicyInfo
}

// maxInfos is how many of the latest versions a History keeps.
const maxInfos = 256

// History keeps the latest versions. It is safe for concurrent use.
type History struct {
	mu   sync.RWMutex
	list []Info // by number, ascending
}

// Add remembers a version, the number of which follows that of the one before.
func (h *History) Add(v *Version) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.list) == maxInfos {
		h.list = append([]Info(nil), h.list[1:]...)
	}
	h.list = append(h.list, Info{Number: v.Number, Since: v.Since, Policies: InfoOf(v.Set), Shadow: InfoOf(v.Shadow)})
}

// Of returns the version with a number, and false if that is not among the latest.
func (h *History) Of(number int) (Info, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(h.list) == 0 {
		return Info{}, false
	}
	if i := number - h.list[0].Number; i >= 0 && i < len(h.list) {
		return h.list[i], true
	}
	return Info{}, false
}
