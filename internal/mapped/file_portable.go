//go:build unix && !linux

package mapped

import "os"

// preallocate makes sure that a file has room on the disk for so many bytes.
func preallocate(f *os.File, size int) error { return writeZeros(f, size) }

// populate has nothing to do: preallocate wrote every page.
func populate([]byte) error { return nil }

// cached assumes it: there is no cheap way to ask.
func cached([]byte) bool { return true }
