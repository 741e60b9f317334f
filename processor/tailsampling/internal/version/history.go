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

// Info describes the contents of a version.
type Info struct {
	Number           int
	Since            time.Time
	Policies, Shadow []PolicyInfo
}

// maxInfos is the number of the latest versions that a History keeps.
const maxInfos = 256

// History keeps the latest versions. It is safe for concurrent use.
type History struct {
	mu   sync.RWMutex
	list []Info // by number, ascending
}

// Add adds a version, whose number follows the last one's.
func (h *History) Add(v *Version) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.list) == maxInfos {
		h.list = append([]Info(nil), h.list[1:]...)
	}
	h.list = append(h.list, Info{Number: v.Number, Since: v.Since, Policies: InfoOf(v.Set), Shadow: InfoOf(v.Shadow)})
}

// Of returns the version with a number. It returns false if it is not among the latest.
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
