package gate

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// priority of the calling thread, as the system call returns it: 20 minus its niceness.
func priority(t *testing.T) int {
	n, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	require.NoError(t, err)
	return n
}

// TestApart: only the function that runs apart has a lower priority, and only while it runs.
func TestApart(t *testing.T) {
	before := priority(t)
	if before <= 20-19+niceness {
		t.Skip("the tests themselves stand back")
	}
	for range 20 {
		apart(func() { assert.Equal(t, before-niceness, priority(t)) })
		done := make(chan int)
		go func() { done <- priority(t) }()
		assert.Equal(t, before, <-done)
	}
	assert.Equal(t, before, priority(t))
}

// TestApartPanics: a panic reaches the caller with its origin; http.ErrAbortHandler stays itself.
func TestApartPanics(t *testing.T) {
	defer func() {
		text, ok := recover().(string)
		require.True(t, ok)
		assert.Contains(t, text, "broken\n")
		assert.Contains(t, text, "apart_linux_test.go")
	}()
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { apart(func() { panic(http.ErrAbortHandler) }) })
	apart(func() { panic("broken") })
}
