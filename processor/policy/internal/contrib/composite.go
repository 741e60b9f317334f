package contrib

import (
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// Part is a sub-policy of composite.
type Part struct {
	Name string
	Node rule.Node
	// Percent is its share of the spans in a second; without any shares, 0 gives each part all of them.
	Percent int64
}

// Composite returns contrib's composite policy for so many spans per second: the first part that matches the trace decides,
// by whether it has room.
func Composite(spans int64, parts []Part) rule.Node {
	first := make(firstFor, len(parts))
	n := rule.Node{Rule: first, Split: first}
	for i, p := range parts {
		share := float64(spans) / float64(len(parts))
		if p.Percent > 0 {
			share = float64(p.Percent) / 100 * float64(spans)
		}
		first[i].name, first[i].node, first[i].room = p.Name, p.Node, &room{spans: min(int64(share), spans)}
		n.Parts = append(n.Parts, p.Node, rule.Node{Rule: first[i].room, Traits: rule.Counts | rule.Weightless})
	}
	return n
}

type firstFor []struct {
	name string
	node rule.Node
	room *room
}

// Match also matches traces that it does not sample, with a threshold that nothing passes, so that its parts
// count them.
func (parts firstFor) Match(t *rule.Trace) (uint64, bool) {
	if parts.Sampler(t, t.Randomness) == rule.None {
		return threshold.Never, true
	}
	return 0, true
}

// Sampler implements rule.Splitter.
func (parts firstFor) Sampler(t *rule.Trace, randomness uint64) int {
	for i := range parts {
		p := &parts[i]
		if th, ok := p.node.Rule.Match(t); !ok || th > randomness {
			continue
		}
		if _, enough := p.room.Match(t); enough {
			return i
		}
		break
	}
	return rule.None
}

// Count counts the trace in the parts, up to the first that matches it.
func (parts firstFor) Count(t *rule.Trace, _ bool) {
	for i := range parts {
		p := &parts[i]
		th, ok := p.node.Rule.Match(t)
		sampled := ok && th <= t.Randomness
		_, enough := p.room.Match(t)
		if c := p.node.Counting(); c != nil && ok {
			c.Count(t, sampled)
		}
		if sampled {
			if enough {
				p.room.Count(t, true)
			}
			return
		}
	}
}

// Names implements rule.Splitter.
func (parts firstFor) Names() (names []string) {
	for i := range parts {
		names = append(names, parts[i].name)
	}
	return names
}
