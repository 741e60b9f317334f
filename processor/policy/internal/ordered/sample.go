package ordered

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// The words that a sample can be.
const (
	SampleAlways = "always"
	SampleNever  = "never"
)

// allowed says what a sample can be, for errors.
const allowed = "write a percentage from 0 to 100, such as 5 for one trace in twenty, " + SampleAlways + ", " + SampleNever +
	", or a policy with a rate"

// Read returns the policy of a sample that is a percentage or a word.
func Read(sample any) (rule.Node, error) {
	var percent float64
	switch s := sample.(type) {
	case nil:
		return rule.Node{}, fmt.Errorf("is required; %s", allowed)
	case string:
		switch s {
		case SampleAlways:
			return Always(), nil
		case SampleNever:
			return Never(), nil
		}
		return rule.Node{}, fmt.Errorf("%q is not known; %s", s, allowed)
	case int:
		percent = float64(s)
	case int64:
		percent = float64(s)
	case uint64:
		percent = float64(s)
	case float64:
		percent = s
	default:
		return rule.Node{}, fmt.Errorf("%v is not known; %s", s, allowed)
	}
	if !(percent >= 0 && percent <= 100) {
		return rule.Node{}, fmt.Errorf("%g is not from 0 to 100; %s", percent, allowed)
	}
	th, err := threshold.Of(percent)
	if err != nil {
		return rule.Node{}, fmt.Errorf("%g %w", percent, err)
	}
	return Share(th), nil
}
