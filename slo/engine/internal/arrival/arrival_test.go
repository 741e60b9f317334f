package arrival

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Counts that leave every ten seconds and are read a minute and a half later arrive; if they stop, this is reported after five
// minutes, until they arrive again.
func TestMissingArrivalIsReported(t *testing.T) {
	for _, wrong := range []time.Duration{0, 25 * time.Hour, -25 * time.Hour} { // the size of the clock's jump
		a := new(Arrival)
		var jumped time.Duration
		stopped := 0 // seconds without an arrival
		for s := range 3600 {
			if s == 600 {
				jumped = wrong
			}
			now := noon.Add(time.Duration(s)*time.Second + jumped)
			if s%10 == 0 {
				a.CountsSent(now)
			}
			if s >= 1800 && s < 2700 {
				stopped++
			} else {
				stopped = 0
			}
			if s%60 == 30 && stopped == 0 {
				a.Read(now.Add(-90 * time.Second))
			}
			switch missing := a.Missing(); {
			case s < 1800, stopped > 0 && stopped < 200:
				assert.Empty(t, missing, s)
			case stopped > 400:
				assert.Contains(t, missing, "no count since")
			case s > 2700+180:
				assert.Empty(t, missing, s)
			}
		}
	}
}

func TestNothingSent(t *testing.T) {
	a := new(Arrival)
	assert.Empty(t, a.Missing())
	a.Read(noon)
	assert.Empty(t, a.Missing(), "what arrives is from others")
	a.CountsSent(noon.Add(time.Hour))
	assert.Empty(t, a.Missing())
	a.CountsSent(noon.Add(time.Hour + MaxDelay))
	assert.Empty(t, a.Missing())
	a.CountsSent(noon.Add(time.Hour + MaxDelay + 10*time.Second))
	assert.Contains(t, a.Missing(), "no count since 2026-03-01T13:00:00Z")
}
