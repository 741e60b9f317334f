package hold

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A hold ends after a number of items, bytes, or a time, whichever comes first; the clock is read only sometimes.
func TestHold(t *testing.T) {
	for name, c := range map[string]struct {
		bytes int64
		each  time.Duration
		want  int
	}{
		"items":                        {1, 0, Items},
		"bytes":                        {Bytes / 10, 0, 11},
		"one that is larger":           {2 * Bytes, 0, 1},
		"time":                         {1, Time / 20, 24}, // the next multiple of Every from 20 on
		"time, where each takes long":  {1, time.Second, Every},
		"bytes before the clock tells": {Bytes / 4, time.Second, 4},
	} {
		var now clock.Monotonic
		h := Begin(func() clock.Monotonic { return now })
		items := 0
		for over := false; !over; items++ {
			now = now.Add(c.each)
			over = h.Done(c.bytes)
		}
		assert.Equal(t, c.want, items, name)
	}
	h := Begin(nil)
	for range Items - 1 {
		assert.False(t, h.Done(0))
	}
	assert.True(t, h.Done(0))
}
