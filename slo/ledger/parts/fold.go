package parts

import (
	"cmp"
	"slices"
)

const (
	// maxGroups is the most combinations of service, version and operation that a table has.
	maxGroups = 16
	// maxReasons is the most rows of bad events that a table has. Each combination may have one.
	maxReasons = 2 * maxGroups
)

// weight ranks what is folded: the fewest bad events first, then the fewest events.
type weight struct {
	part       Part
	bad, total uint64
}

func (w *weight) compare(v *weight) int {
	return cmp.Or(cmp.Compare(w.bad, v.bad), cmp.Compare(w.total, v.total), w.part.compare(v.part))
}

// fold brings the table within its limits, and drops empty rows.
func (t *table) fold() {
	for t.foldGroups() {
	}
	for t.foldReasons() {
	}
	if slices.ContainsFunc(t.rows, (*row).empty) {
		t.rename(func(k key) key { return k })
	}
}

// groups returns the combinations of service, version and operation, the first to fold first.
func (t *table) groups() []*weight {
	at := make(map[Part]*weight, maxGroups)
	var list []*weight
	for _, r := range t.rows {
		g := r.part.group()
		w := at[g]
		if w == nil {
			w = &weight{part: g}
			at[g] = w
			list = append(list, w)
		}
		if r.bad {
			w.bad += r.sum()
		} else {
			w.total += r.sum()
		}
	}
	slices.SortFunc(list, (*weight).compare)
	return list
}

// foldGroups folds as many groups as there are too many. It reports whether it folded any.
func (t *table) foldGroups() bool {
	if len(t.rows) <= maxGroups {
		return false
	}
	groups := t.groups()
	excess := len(groups) - maxGroups
	if excess <= 0 {
		return false
	}
	c := newCensus(groups)
	to := make(map[Part]Part, excess)
	for _, g := range groups {
		if len(to) == excess {
			break
		}
		if target, ok := c.above(g.part); ok {
			c.move(g.part, target)
			to[g.part] = target
		}
	}
	t.rename(func(k key) key {
		g := k.part.group()
		for target, ok := to[g]; ok; target, ok = to[g] { // a target may itself be folded after that
			g = target
		}
		g.Reason = k.part.Reason
		return key{g, k.bad}
	})
	return true
}

// census counts the groups of a table while they are folded.
type census struct {
	here     map[Part]bool
	versions map[Part]int // by service and version
	services map[string]int
}

func newCensus(groups []*weight) *census {
	c := &census{map[Part]bool{}, map[Part]int{}, map[string]int{}}
	for _, g := range groups {
		c.add(g.part, 1)
	}
	return c
}

func (c *census) add(g Part, n int) {
	c.here[g] = n > 0
	c.versions[Part{Service: g.Service, Version: g.Version}] += n
	c.services[g.Service] += n
}

func (c *census) move(from, to Part) {
	c.add(from, -1)
	if !c.here[to] {
		c.add(to, 1)
	}
}

// above returns what a group is folded into: the rest of its version if that has other groups, else the rest of its service, else the
// rest of all. It returns false for such a rest while others of its version, or of its service, have rows of their own.
func (c *census) above(g Part) (Part, bool) {
	inVersion := c.versions[Part{Service: g.Service, Version: g.Version}]
	to := Part{Service: g.Service, Version: g.Version, Operation: Other}
	if inVersion == 1 {
		to.Version = Other
		if c.services[g.Service] == 1 {
			to.Service = Other
		}
	}
	return to, to != g
}

// foldReasons folds as many rows of bad events as there are too many. It reports whether it folded any.
func (t *table) foldReasons() bool {
	if len(t.rows) <= maxReasons {
		return false
	}
	inGroup := map[Part]int{}
	named := map[Part]bool{} // groups with a row of other reasons
	var list []*weight
	for _, r := range t.rows {
		if r.bad {
			list = append(list, &weight{part: r.part, bad: r.sum()})
			inGroup[r.part.group()]++
			if r.part.Reason == Other {
				named[r.part.group()] = true
			}
		}
	}
	excess := len(list) - maxReasons
	if excess <= 0 {
		return false
	}
	slices.SortFunc(list, (*weight).compare)
	folded := map[Part]bool{}
	for _, w := range list {
		g := w.part.group()
		if len(folded) == excess || w.part.Reason == Other || inGroup[g] == 1 {
			continue
		}
		folded[w.part] = true
		if named[g] {
			inGroup[g]--
		}
		named[g] = true
	}
	t.rename(func(k key) key {
		if k.bad && folded[k.part] {
			k.part.Reason = Other
		}
		return k
	})
	return true
}
