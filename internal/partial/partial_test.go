package partial

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRejected(t *testing.T) {
	Add(t.Context(), 1, "nobody asks")
	ctx, r := NewContext(t.Context())
	items, why := r.Items()
	assert.Zero(t, items)
	assert.Empty(t, why)

	Add(ctx, 0, "none")
	Add(ctx, 2, "first")
	var adding sync.WaitGroup
	for range 8 {
		adding.Go(func() { Add(ctx, 1, "another") })
	}
	adding.Wait()
	items, why = r.Items()
	assert.EqualValues(t, 10, items)
	assert.Equal(t, "first", why)
}
