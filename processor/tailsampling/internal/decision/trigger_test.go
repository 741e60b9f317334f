package decision

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryTriggerHasANameAndAReason(t *testing.T) {
	names := map[string]bool{}
	for trigger := range Triggers {
		assert.NotEmpty(t, trigger.Reason(), trigger)
		assert.NotEmpty(t, trigger.String())
		names[trigger.String()] = true
	}
	assert.Len(t, names, int(Triggers))
}

func TestEarlyTriggers(t *testing.T) {
	var early []string
	for trigger := range Triggers {
		if trigger.Early() {
			early = append(early, trigger.String())
		}
	}
	assert.Equal(t, []string{"size", "num_traces", "memory", "shutdown"}, early)
}
