package version

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Names numbers the policies that decide about traces. A name keeps its number and is never removed, so that entries,
// remembered decisions and the journal can hold the numbers of former policies. It is safe for concurrent use.
type Names struct {
	mu      sync.Mutex // held while a name is added
	numbers map[Name]int32
	list    atomic.Pointer[[]Name] // by number
}

// Name is a deciding policy, and the sub-policy of a composite one. The zero Name is no policy.
type Name struct{ Policy, Sub string }

// NoPolicy is the number of the zero Name.
const NoPolicy = 0

const maxNames = 1<<16 - 1 // the journal's numbers have 16 bits; all ones means no policy

// NewNames returns Names with the zero Name alone.
func NewNames() *Names {
	n := &Names{numbers: map[Name]int32{{}: NoPolicy}}
	n.list.Store(&[]Name{{}})
	return n
}

// Number returns the number of a name, adding it if it is new. It fails if there are too many names.
func (n *Names) Number(name Name) (int32, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, known := n.numbers[name]; known {
		return number, nil
	}
	list := *n.list.Load()
	if len(list) == maxNames {
		return NoPolicy, fmt.Errorf("policies have had %d different names since the start, the largest number possible; restart the gateway", maxNames)
	}
	number := int32(len(list))
	n.numbers[name] = number
	list = append(list, name) // readers of the old list do not see the new element
	n.list.Store(&list)
	return number, nil
}

// Of returns the name with this number.
func (n *Names) Of(number int32) Name { return (*n.list.Load())[number] }

// subMark separates the names of a policy and its sub-policy in the journal.
const subMark = "\x00"

// Strings returns the names by number, in the journal's form.
func (n *Names) Strings() []string {
	all := *n.list.Load()
	list := make([]string, len(all))
	for i, name := range all {
		list[i] = name.Policy
		if name.Sub != "" {
			list[i] += subMark + name.Sub
		}
	}
	return list
}

// ParseName parses a name in the journal's form.
func ParseName(s string) Name {
	policy, sub, _ := strings.Cut(s, subMark)
	return Name{policy, sub}
}
