package tailsampling

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// names numbers what decides about traces. A name is only ever added and keeps its number, so that entries, what is
// remembered of decisions, and the journal can have the numbers of policies that are no more. It is safe for concurrent
// use.
type names struct {
	mu      sync.Mutex // for adding
	numbers map[name]int32
	list    atomic.Pointer[[]name] // by number
}

// name is what decided: a policy, and if that is a composite one its sub-policy. The zero name is that of no policy, and
// its number is noPolicy.
type name struct{ policy, sub string }

const (
	noPolicy  = 0
	mostNames = 1<<16 - 1 // the journal's numbers have 16 bits, of which all ones are no policy
)

func newNames() *names {
	n := &names{numbers: map[name]int32{{}: noPolicy}}
	n.list.Store(&[]name{{}})
	return n
}

// number returns the number of a name, which is added if it is new.
func (n *names) number(of name) (int32, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, known := n.numbers[of]; known {
		return number, nil
	}
	list := *n.list.Load()
	if len(list) == mostNames {
		return noPolicy, fmt.Errorf("policies had %d different names since the start, which is the most there can be: restart", mostNames)
	}
	number := int32(len(list))
	n.numbers[of] = number
	list = append(list, of) // who has an older list does not see it
	n.list.Store(&list)
	return number, nil
}

// all lists the names by number. It must not be changed.
func (n *names) all() []name { return *n.list.Load() }

func (n *names) of(number int32) name { return n.all()[number] }

// subMark is between the names of a policy and its sub-policy in the journal.
const subMark = "\x00"

// strings are the names as the journal has them.
func (n *names) strings() []string {
	all := n.all()
	list := make([]string, len(all))
	for i, name := range all {
		list[i] = name.policy
		if name.sub != "" {
			list[i] += subMark + name.sub
		}
	}
	return list
}

// readName is the reverse.
func readName(s string) name {
	policy, sub, _ := strings.Cut(s, subMark)
	return name{policy, sub}
}
