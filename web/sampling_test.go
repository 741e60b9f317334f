package web

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// knows is a sampler that knows the trace in this state.
type knows struct {
	sampler
	state string
}

func (k knows) Explain([16]byte) (tailsampling.Explanation, bool) {
	return tailsampling.Explanation{State: k.state}, k.state != ""
}

// A trace can come through any of several processors; the one that was restarted must not hide what another knows.
func TestTheMostTellingAnswerWins(t *testing.T) {
	for want, states := range map[string][]string{
		tailsampling.StateDecided: {tailsampling.StateReading, tailsampling.StateFaded, tailsampling.StateDecided},
		tailsampling.StateFaded:   {tailsampling.StateFaded, "", tailsampling.StatePending},
		tailsampling.StatePending: {"", tailsampling.StatePending, tailsampling.StateReading},
		"":                        {"", ""},
	} {
		var samplers []sampler
		for _, state := range states {
			samplers = append(samplers, knows{state: state})
		}
		best, known := bestKnown(samplers, [16]byte{1})
		assert.Equal(t, want, best.State)
		assert.Equal(t, want != "", known)
	}
}
