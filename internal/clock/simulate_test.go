package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A simulation's clocks are the process's until they are given back, and are doubted like the machine's.
func TestSimulate(t *testing.T) {
	var elapsed, offset time.Duration
	restore := Simulate(func() (time.Time, time.Duration) { return noon.Add(elapsed + offset), elapsed })
	assert.Equal(t, noon, Wall())
	elapsed, offset = time.Minute, time.Hour
	assert.Equal(t, noon.Add(time.Minute), Wall())
	assert.NotEmpty(t, Look().Doubt)
	restore()
	assert.WithinDuration(t, time.Now(), Wall(), time.Minute)
	assert.Empty(t, Look().Doubt)
}
