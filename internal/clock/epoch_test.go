package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// An instant is shown by the clock that is believed at that moment, and stored by the monotonic one.
func TestBelieved(t *testing.T) {
	e := NewEpoch()
	at := e.UnixMilli(5e9)
	assert.Equal(t, at.Time(), e.Believed(at))
	e.moved -= 25 * time.Hour // the clock has been stepped since
	assert.Equal(t, at, e.UnixMilli(5e9))
	assert.Equal(t, at.Time().Add(25*time.Hour), e.Believed(at))
	replayed := EpochAt(1000)
	replayed.moved -= time.Hour
	assert.Equal(t, UnixMilli(3000).Time(), replayed.Believed(3000), "what is replayed is as old as it is")
}
