package stateful

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// DiversityConfig samples at least one trace of each operation and period: a trace with an operation of which no policy
// has kept a trace since the period began. An operation is a service and the name of a span that entered it: of kind
// SERVER or CONSUMER, or a root.
type DiversityConfig struct {
	// Period begins for each operation when a trace with it is kept; 0 means 15 minutes.
	Period time.Duration `mapstructure:"period"`
	// MaxKeys is the number of operations that are distinguished; all others count as one. 0 means 10000.
	MaxKeys int `mapstructure:"max_keys"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *DiversityConfig) Compile(b *ask.Builder) (rule.Node, error) {
	period, err1 := periodOf(cfg.Period)
	maxKeys, err2 := maxKeysOf(cfg.MaxKeys)
	if err := errors.Join(err1, err2); err != nil {
		return rule.Node{}, err
	}
	d := &diversity{covered: rates.NewCoverage(period, maxKeys)}
	d.new = b.Span(fmt.Sprintf("diversity %p", d), uncovered{d}) // each policy has its own coverage
	return rule.Node{Rule: d}, nil
}

// diversity matches traces with an operation that is not covered. Reading all spans of all traces would cost too much:
// arriving spans are looked up in a table of covered operations, and a trace is only read at its decision if one of its
// operations was not there.
type diversity struct {
	new     int // bit of traces with an uncovered operation
	covered *rates.Coverage
}

func (d *diversity) Match(t *rule.Trace) (uint64, bool) {
	unsure := d.covered.Expire(t.Now)
	if !rule.IsSet(t.Bits, d.new) && !unsure {
		return 0, false
	}
	k := t.Linked()
	if k == nil {
		return 0, false
	}
	for i := range k.Spans {
		if s := &k.Spans[i]; enters(s) && !d.covered.Has(operation(s.Service, s.Name)) {
			return 0, true
		}
	}
	return 0, false
}

func enters(s *skeleton.Span) bool {
	return s.Parent == 0 || s.Kind == wire.KindServer || s.Kind == wire.KindConsumer
}

// Kept covers the operations of a trace. It skips a trace without an uncovered one, as covering again changes
// nothing.
func (d *diversity) Kept(t *rule.Trace) {
	if !rule.IsSet(t.Bits, d.new) && !t.IsLinked() {
		return
	}
	if k := t.Linked(); k != nil {
		for i := range k.Spans {
			if s := &k.Spans[i]; enters(s) {
				d.covered.Add(operation(s.Service, s.Name), t.Now)
			}
		}
	}
}

// Count does nothing: Kept is called for every kept trace, and no other matters.
func (d *diversity) Count(*rule.Trace, bool) {}

func (d *diversity) Inherit(from rule.Rule) { d.covered.Copy(from.(*diversity).covered) }

// uncovered holds for spans of operations that are not covered, or will not be for much longer.
type uncovered struct{ d *diversity }

func (u uncovered) Holds(v *rule.SpanView) bool {
	if s := v.Span; !s.ParentID.IsZero() && s.Kind != wire.KindServer && s.Kind != wire.KindConsumer {
		return false
	}
	service, _ := v.ResourceAttribute(rule.ServiceName)
	return !u.d.covered.StaysCovered(operation(rule.NameHash(service.Bytes()), rule.NameHash(v.Name())))
}

// operation returns the hash of a service and a span name.
func operation(service, name uint64) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return max(bits.RotateLeft64(service, 32)*odd^name, rates.OtherOperation+1)
}
