package policy

import (
	"errors"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// DiversityConfig is for one trace at least of each operation and period: it samples a trace with an operation of which none
// was kept, by whatever policy, since the period began. An operation is a service and the name of a span that entered it:
// of kind SERVER or CONSUMER, or a root.
type DiversityConfig struct {
	// Period begins for each operation when a trace with it is kept; 0 means 15 minutes.
	Period time.Duration `mapstructure:"period"`
	// MaxKeys is how many operations are told apart; the others are as one. 0 means 10000.
	MaxKeys int `mapstructure:"max_keys"`
}

func (cfg *DiversityConfig) compile(c *compiler) (rule, error) {
	c.skeleton = true
	period, err1 := periodOf(cfg.Period)
	maxKeys, err2 := maxKeysOf(cfg.MaxKeys)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	d := &diversity{covered: newCoverage(period, maxKeys)}
	c.diversities++
	d.new = c.span(fmt.Sprintf("diversity %d", c.diversities), uncovered{d})
	return d, nil
}

// diversity matches traces with an operation that is not covered. Reading all spans of all traces for that would cost too
// much: while they arrive they are held against a table of what is covered, and only where one is not in it the trace is read
// when it is decided.
type diversity struct {
	new     rule // matches traces that had such a span
	covered *coverage
}

func (d *diversity) match(t *Trace) (uint64, bool) {
	unsure := d.covered.expire(t.Now)
	if _, is := d.new.match(t); !is && !unsure {
		return 0, false
	}
	k := t.skeleton()
	if k == nil {
		return 0, false
	}
	for i := range k.Spans {
		if s := &k.Spans[i]; enters(s) && !d.covered.has(operation(s.Service, s.Name)) {
			return 0, true
		}
	}
	return 0, false
}

func enters(s *trace.SkeletonSpan) bool {
	return s.Parent == 0 || s.Kind == kindServer || s.Kind == kindConsumer
}

// kept covers the operations of a trace. Where nothing of it was new it changes nothing to cover them again.
func (d *diversity) kept(t *Trace) {
	if _, is := d.new.match(t); !is && t.linked == nil {
		return
	}
	if k := t.skeleton(); k != nil {
		for i := range k.Spans {
			if s := &k.Spans[i]; enters(s) {
				d.covered.add(operation(s.Service, s.Name), t.Now)
			}
		}
	}
}

// count has nothing to do: kept is called for every trace that is kept, and no other matters.
func (d *diversity) count(*Trace, bool) {}

func (d *diversity) inherit(from rule) { d.covered.copy(from.(*diversity).covered) }

// uncovered is for spans of operations that are not covered, or will not be for much longer.
type uncovered struct{ d *diversity }

func (u uncovered) holds(v *SpanView) bool {
	if s := v.Span; !s.ParentID.IsZero() && s.Kind != kindServer && s.Kind != kindConsumer {
		return false
	}
	service, _ := wire.ResourceAttribute(v.Resource, serviceName)
	return !u.d.covered.lasts(operation(nameHash(service.Bytes()), nameHash(v.Name())))
}
