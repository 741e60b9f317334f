package tailsampling

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/policy"
)

// rules are one version of the policies. They do not change; what counting policies remember is in the sets.
type rules struct {
	version int       // from 1 on
	since   time.Time // when it became the current one
	set     *policy.Set
	shadow  *policy.Set // nil where there is none
	words   int         // of bits that a trace has: first the set's, then the shadow's
	numbers []decider
	// errorsBefore is what evaluationErrors was when it became the current one.
	errorsBefore uint64
	drops        []bool // which policies are of type drop

	skeleton bool // the policies, or the shadow's, look at how spans hang together
}

// decider has the numbers of a policy's name and, of a composite one, of those with its sub-policies.
type decider struct {
	policy int32
	subs   []int32
}

// newRules compiles the policies of a configuration, and gives their names numbers.
func newRules(version int, cfg *Config, known *names, logger *zap.Logger) (*rules, error) {
	set, shadow, err := cfg.compileAll(logger)
	if err != nil {
		return nil, err
	}
	return rulesOf(version, set, shadow, known)
}

// rulesOf makes rules of compiled policies.
func rulesOf(version int, set, shadow *policy.Set, known *names) (_ *rules, err error) {
	r := &rules{
		version: version, since: time.Now(), set: set, shadow: shadow, words: set.Words(),
		numbers: make([]decider, set.Len()), drops: make([]bool, set.Len()),
	}
	r.skeleton = set.NeedsSkeleton()
	if shadow != nil {
		r.words += shadow.Words()
		r.skeleton = r.skeleton || shadow.NeedsSkeleton()
	}
	for i := range r.numbers {
		d := &r.numbers[i]
		r.drops[i] = set.Type(i) == policy.Drop
		if d.policy, err = known.number(name{policy: set.Name(i)}); err != nil {
			return nil, err
		}
		for _, sub := range set.Subs(i) {
			number, err := known.number(name{set.Name(i), sub})
			if err != nil {
				return nil, err
			}
			d.subs = append(d.subs, number)
		}
	}
	return r, nil
}

// evaluationErrors is how often a condition of the policies could not be evaluated, those of versions before included as
// far as they were current.
func (r *rules) evaluationErrors() uint64 { return r.errorsBefore + r.set.EvaluationErrors() }

// number is that of the name of what made a decision.
func (r *rules) number(d policy.Decision) int32 {
	if d.Policy == policy.None {
		return noPolicy
	}
	by := &r.numbers[d.Policy]
	if d.Sub == policy.None || len(by.subs) == 0 {
		return by.policy
	}
	return by.subs[d.Sub]
}

// observe lets the policies look at a span of a trace with these bits.
func (r *rules) observe(bits []uint64, v *policy.SpanView) {
	if r.shadow == nil {
		r.set.Observe(bits, v)
		return
	}
	own := r.set.Words()
	r.set.Observe(bits[:own], v)
	r.shadow.Observe(bits[own:], v)
}

// resourceBits sets the bits of what is to be known of a resource.
func (r *rules) resourceBits(resource []byte, bits []uint64) {
	own := r.set.Words()
	r.set.ResourceBits(resource, bits[:own])
	if r.shadow != nil {
		r.shadow.ResourceBits(resource, bits[own:])
	}
}

// generation is a version of the rules in a shard, with the bits of the pending traces that began under it: these are
// decided by it.
type generation struct {
	rules  *rules // nil where there is none
	bits   bitTable
	traces int // pending
	shadow shadowStats
}

// mostGenerations is how many versions can be in use at once, as an entry has a byte for its.
const mostGenerations = 1 << 8

// generations are those of a shard, of which new traces get the current one. One that is not current is let go with its
// last trace.
type generations struct {
	list    []generation
	current uint8
}

func newGenerations(r *rules) generations {
	return generations{list: []generation{{rules: r, bits: bitTable{words: r.words}}}}
}

// at returns the generation of an entry.
func (g *generations) at(e *entry) *generation { return &g.list[e.generation] }

// begin gives a new entry of a pending trace the current generation.
func (g *generations) begin(n uint32, e *entry) {
	e.generation = g.current
	now := &g.list[g.current]
	now.traces++
	now.bits.reset(n)
}

// end takes a trace out of its generation.
func (g *generations) end(e *entry) {
	of := g.at(e)
	if of.traces--; of.traces == 0 && e.generation != g.current {
		*of = generation{}
	}
}

// full reports whether there is no room for another.
func (g *generations) full() bool { return len(g.list) == mostGenerations && g.free() < 0 }

func (g *generations) free() int {
	return slices.IndexFunc(g.list, func(one generation) bool { return one.rules == nil })
}

// swap makes these rules the current ones. There must be room.
func (g *generations) swap(r *rules) {
	at := g.free()
	if at < 0 {
		at = len(g.list)
		g.list = append(g.list, generation{})
	}
	g.list[at] = generation{rules: r, bits: bitTable{words: r.words}}
	if before := &g.list[g.current]; before.traces == 0 {
		*before = generation{}
	}
	g.current = uint8(at)
}

// bytes is how much memory the bits take.
func (g *generations) bytes() (n int) {
	for i := range g.list {
		n += g.list[i].bits.bytes()
	}
	return n
}

// warnings are what a user should be told of the policies.
func (r *rules) warnings() []string {
	list := r.set.Warnings()
	if r.shadow != nil {
		for _, w := range r.shadow.Warnings() {
			list = append(list[:len(list):len(list)], "shadow::"+w)
		}
	}
	return list
}

// compileAll compiles the policies of a configuration and of its shadow, which is nil where there is none. The logger may
// be nil.
func (cfg *Config) compileAll(logger *zap.Logger) (set, shadow *policy.Set, err error) {
	options := cfg.options()
	options.Logger = logger
	if set, err = policy.Compile(cfg.Policies, options); err == nil {
		err = cfg.check(set)
	}
	if cfg.Shadow != nil {
		var bad error
		if shadow, bad = policy.Compile(cfg.Shadow.Policies, options); bad == nil {
			bad = cfg.check(shadow)
		}
		if bad != nil {
			err = errors.Join(err, below("shadow", bad))
		}
	}
	return set, shadow, err
}

// below puts a key in front of each error that was joined.
func below(key string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // of exactly this error
	if !ok {
		return fmt.Errorf("%s::%w", key, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, below(key, e))
	}
	return errors.Join(errs...)
}

func infoOf(set *policy.Set) []PolicyInfo {
	list := make([]PolicyInfo, set.Len())
	for i := range list {
		list[i] = PolicyInfo{set.Name(i), string(set.Type(i))}
	}
	return list
}
