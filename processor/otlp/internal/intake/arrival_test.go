package intake

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestArrival(t *testing.T) {
	for name, tt := range map[string]struct {
		arrives, leaves time.Duration // 0 is never
		late            bool
		err             error
	}{
		"in time":           {arrives: time.Second},
		"never":             {late: true, err: context.DeadlineExceeded},
		"its sender leaves": {leaves: time.Second, err: context.Canceled},
		"it arrives, and its sender leaves later": {arrives: time.Second, leaves: time.Minute, err: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, leave := context.WithCancel(t.Context())
				defer leave()
				late := false
				ctx := context.WithValue(Within(parent, 30*time.Second, func() { late = true }), t, nil)
				if tt.arrives > 0 {
					time.Sleep(tt.arrives)
					assert.True(t, Arrived(ctx))
					assert.True(t, Arrived(ctx), "once more does no harm")
				}
				if tt.leaves > 0 {
					time.Sleep(tt.leaves)
					leave()
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				assert.Equal(t, tt.late, late)
				assert.Equal(t, tt.err, ctx.Err())
				assert.Equal(t, !tt.late, Arrived(ctx))
			})
		})
	}
	assert.True(t, Arrived(context.Background()), "nobody said when it has to be there")
}
