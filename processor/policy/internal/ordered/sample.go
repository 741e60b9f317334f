package ordered

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// The words that a sample can be, instead of a number.
const (
	SampleAlways = "always"
	SampleNever  = "never"
)

// allowed lists the possible samples, for errors.
const allowed = "write a percentage from 0 to 100, such as 5 for one trace in twenty, " + SampleAlways + ", " + SampleNever +
	", or a policy with a rate"

// Read returns the policy of a sample that is a percentage or a word.
func Read(sample any) (rule.Node, error) {
	switch sample {
	case nil:
		return rule.Node{}, fmt.Errorf("is required; %s", allowed)
	case SampleAlways:
		return Always(), nil
	case SampleNever:
		return Never(), nil
	}
	percent, ok := Percentage(sample)
	if !ok {
		if text, ok := sample.(string); ok {
			return rule.Node{}, fmt.Errorf("%q is not known; %s", text, allowed)
		}
		return rule.Node{}, fmt.Errorf("%v is not known; %s", sample, allowed)
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

// Percentage returns the share that a sample keeps of its rule's traces, in percent. It returns false for a sample with a
// rate.
func Percentage(sample any) (percent float64, ok bool) {
	switch s := sample.(type) {
	case string:
		if s == SampleAlways {
			return 100, true
		}
		return 0, s == SampleNever
	case int:
		return float64(s), true
	case int64:
		return float64(s), true
	case uint64:
		return float64(s), true
	case float64:
		return s, true
	default:
		return 0, false
	}
}
