//go:build linux || darwin

package mapped

import (
	"bytes"
	"errors"
	"os"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cutOff returns the memory of a mapped file that is truncated to fewer pages.
func cutOff(t *testing.T, pages, left int) Memory {
	f := newFile(t)
	m, err := Create(f, 1, pages*os.Getpagesize())
	require.NoError(t, err)
	t.Cleanup(m.Release)
	require.NoError(t, f.Truncate(int64(left*os.Getpagesize())))
	return m
}

// A disk that fails under mapped memory is an error within Guard; other panics pass through.
func TestGuard(t *testing.T) {
	m := cutOff(t, 2, 1)
	before := debug.SetPanicOnFault(false)
	defer debug.SetPanicOnFault(before)
	for name, guarded := range map[string]func(func()) error{
		"Guard": func(do func()) (err error) {
			defer Guard(&err)()
			do()
			return nil
		},
		"Arm and Disarm": func(do func()) (err error) {
			defer Disarm(Arm(), &err)
			do()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) { testGuard(t, m, guarded) })
	}
}

func testGuard(t *testing.T, m Memory, guarded func(func()) error) {
	assert.NoError(t, guarded(func() { m.Buf[0] = 1 }))
	err := guarded(func() { m.Buf[os.Getpagesize()] = 1 })
	assert.ErrorIs(t, err, ErrDisk)
	var fault *Fault
	if assert.ErrorAs(t, err, &fault) {
		assert.True(t, fault.In(m.Buf[os.Getpagesize():]))
		assert.False(t, fault.In(m.Buf[:os.Getpagesize()]))
		assert.False(t, fault.In(nil))
		assert.NotContains(t, err.Error(), "runtime error")
	}
	assert.False(t, debug.SetPanicOnFault(false), "it is as it was before")

	assert.PanicsWithValue(t, "other", func() { _ = guarded(func() { panic("other") }) })
	assert.Panics(t, func() { _ = guarded(func() { _ = m.Buf[len(m.Buf):][len(m.Buf)%7] }) })
	assert.Panics(t, func() {
		_ = guarded(func() {
			var none *int
			*none = 1
		})
	})
}

// Every page is read, including the last.
func TestReadable(t *testing.T) {
	assert.NoError(t, Readable(nil))
	page := os.Getpagesize()
	m := cutOff(t, 3, 2)
	assert.NoError(t, Readable(m.Buf[:2*page]))
	assert.ErrorIs(t, Readable(m.Buf), ErrDisk)
	assert.ErrorIs(t, Readable(m.Buf[:2*page+1]), ErrDisk)
	assert.ErrorIs(t, Readable(cutOff(t, 1, 0).Buf), ErrDisk)
}

// Every page is written, and its contents stay the same.
func TestDirty(t *testing.T) {
	Dirty(nil)
	page := os.Getpagesize()
	m, err := Create(newFile(t), 1, 3*page)
	require.NoError(t, err)
	defer m.Release()
	for i := range m.Buf {
		m.Buf[i] = byte(i * 7)
	}
	want := bytes.Clone(m.Buf)
	Dirty(m.Buf)
	assert.Equal(t, want, m.Buf)
	if raced {
		return
	}
	dirty := func(b []byte) (err error) {
		defer Guard(&err)()
		Dirty(b)
		return nil
	}
	for i := range 3 {
		require.NoError(t, syscall.Mprotect(m.Buf[i*page:(i+1)*page], syscall.PROT_READ))
		assert.ErrorIs(t, dirty(m.Buf), ErrDisk, "page %d", i)
		assert.NoError(t, dirty(m.Buf[:i*page]), "before page %d", i)
		assert.ErrorIs(t, dirty(m.Buf[:i*page+1]), ErrDisk, "page %d", i)
		require.NoError(t, syscall.Mprotect(m.Buf[i*page:(i+1)*page], syscall.PROT_READ|syscall.PROT_WRITE))
	}
}

// A disk that fails while pages are made present is an error.
func TestPopulate(t *testing.T) {
	assert.NoError(t, populate(cutOff(t, 2, 2).Buf))
	err := populate(cutOff(t, 2, 1).Buf)
	if err == nil {
		t.Skip("the system cannot make pages present")
	}
	assert.Error(t, err)
}

func TestIgnoringEINTR(t *testing.T) {
	calls, other := 0, errors.New("other")
	assert.Equal(t, other, ignoringEINTR(func() error {
		if calls++; calls < 3 {
			return syscall.EINTR
		}
		return other
	}))
	assert.Equal(t, 3, calls)
	assert.NoError(t, ignoringEINTR(func() error { return nil }))
}
