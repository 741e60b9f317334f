package version

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
)

// Version is one version of the policies.
type Version struct {
	Number int       // from 1 on
	Since  time.Time // when it was made
	Set    *policy.Set
	Shadow *policy.Set // nil without a shadow
	Words  int         // of a trace's bits: first the Set's, then the Shadow's
	// Skeleton reports whether the policies, or the shadow's, look at the tree of spans.
	Skeleton bool

	numbers []policyNumbers // by policy
	drops   []bool          // by policy: whether it is of type drop
	// errorsBefore is EvaluationErrors at the moment when this version became current.
	errorsBefore uint64
}

// policyNumbers are the numbers of a policy's name and, if it is composite, of its names with each
// sub-policy.
type policyNumbers struct {
	policy int32
	subs   []int32
}

// New creates a version from compiled policies and numbers their names. shadow may be nil.
func New(number int, set, shadow *policy.Set, names *Names) (_ *Version, err error) {
	v := &Version{
		Number: number, Since: clock.Now(), Set: set, Shadow: shadow, Words: set.Words(), Skeleton: set.NeedsSkeleton(),
		numbers: make([]policyNumbers, set.Len()), drops: make([]bool, set.Len()),
	}
	if shadow != nil {
		v.Words += shadow.Words()
		v.Skeleton = v.Skeleton || shadow.NeedsSkeleton()
	}
	for i := range v.numbers {
		v.drops[i] = set.Type(i) == policy.Drop
		if v.numbers[i].policy, err = names.Number(Name{Policy: set.Name(i)}); err != nil {
			return nil, err
		}
		for _, sub := range set.Subs(i) {
			number, err := names.Number(Name{set.Name(i), sub})
			if err != nil {
				return nil, err
			}
			v.numbers[i].subs = append(v.numbers[i].subs, number)
		}
	}
	return v, nil
}

// Follow makes v the successor of before: equal policies continue its counts, and evaluation errors add up.
func (v *Version) Follow(before *Version) {
	v.Set.Inherit(before.Set)
	if v.Shadow != nil && before.Shadow != nil {
		v.Shadow.Inherit(before.Shadow)
	}
}

// CountErrorsFrom continues the evaluation errors of the version before. Errors that the policies counted as a shadow are
// excluded: the difference may be below 0, and the sum is right all the same.
func (v *Version) CountErrorsFrom(before *Version) {
	v.errorsBefore = before.EvaluationErrors() - v.Set.EvaluationErrors()
}

// EvaluationErrors is the number of failed evaluations of conditions, of this version and of those before while they were
// current.
func (v *Version) EvaluationErrors() uint64 { return v.errorsBefore + v.Set.EvaluationErrors() }

// NumberOf returns the number of a decision's policy.
func (v *Version) NumberOf(d policy.Decision) int32 {
	if d.Policy == policy.None {
		return NoPolicy
	}
	numbers := &v.numbers[d.Policy]
	if d.Sub == policy.None || len(numbers.subs) == 0 {
		return numbers.policy
	}
	return numbers.subs[d.Sub]
}

// NumberOfPolicy returns the number of the i-th policy's name.
func (v *Version) NumberOfPolicy(i int) int32 { return v.numbers[i].policy }

// IsDrop reports whether the i-th policy is of type drop.
func (v *Version) IsDrop(i int) bool { return v.drops[i] }

// Observe shows a span of a trace with these bits to the policies.
func (v *Version) Observe(bits []uint64, span *policy.SpanView) {
	if v.Shadow == nil {
		v.Set.Observe(bits, span)
		return
	}
	own := v.Set.Words()
	v.Set.Observe(bits[:own], span)
	v.Shadow.Observe(bits[own:], span)
}

// ResourceBits sets the bits that depend on the resource alone.
func (v *Version) ResourceBits(resource []byte, bits []uint64) {
	own := v.Set.Words()
	v.Set.ResourceBits(resource, bits[:own])
	if v.Shadow != nil {
		v.Shadow.ResourceBits(resource, bits[own:])
	}
}

// Warnings are what is to be logged about the policies, at the start or a reload.
func (v *Version) Warnings() []string {
	list := v.Set.Warnings()
	if v.Shadow != nil {
		for _, w := range v.Shadow.Warnings() {
			list = append(list[:len(list):len(list)], "shadow::"+w)
		}
	}
	return list
}
