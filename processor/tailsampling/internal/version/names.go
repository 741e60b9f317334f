package version

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Names numbers what decides about traces. A name is only ever added and keeps its number, so that entries, remembered
// decisions and the journal can hold the numbers of policies that are no more. It is safe for concurrent use.
type Names struct {
	mu      sync.Mutex // for adding
	numbers map[Name]int32
	list    atomic.Pointer[[]Name] // by number
}

// Name is what decided: a policy, and of a composite policy its sub-policy. The zero Name is that of no policy.
type Name struct{ Policy, Sub string }

// NoPolicy is the number of the zero Name.
const NoPolicy = 0

const maxNames = 1<<16 - 1 // the journal's numbers have 16 bits, of which all ones are no policy

// NewNames returns Names with the zero Name alone.
func NewNames() *Names {
	n := &Names{numbers: map[Name]int32{{}: NoPolicy}}
	n.list.Store(&[]Name{{}})
	return n
}

// Number returns the number of a name, which is added if it is new. It fails when there are too many.
func (n *Names) Number(name Name) (int32, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, known := n.numbers[name]; known {
		return number, nil
	}
	list := *n.list.Load()
	if len(list) == maxNames {
		return NoPolicy, fmt.Errorf("policies had %d different names since the start, which is the most there can be: restart", maxNames)
	}
	number := int32(len(list))
	n.numbers[name] = number
	list = append(list, name) // readers of the older list do not see it
	n.list.Store(&list)
	return number, nil
}

// Of returns the name with a number.
func (n *Names) Of(number int32) Name { return (*n.list.Load())[number] }

// subMark is between the names of a policy and its sub-policy in the journal.
const subMark = "\x00"

// Strings returns the names by number, as the journal has them.
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

// ParseName returns the Name that the journal has as s.
func ParseName(s string) Name {
	policy, sub, _ := strings.Cut(s, subMark)
	return Name{policy, sub}
}
