package own

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMark(t *testing.T) {
	assert.False(t, Is(t.Context()))
	ctx, cancel := context.WithCancel(Mark(t.Context()))
	defer cancel()
	assert.True(t, Is(ctx))
}
