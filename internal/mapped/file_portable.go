//go:build unix && !linux

package mapped

import "os"

// preallocate allocates disk space for a file.
func preallocate(f *os.File, size int) error { return writeZeros(f, size) }

// populate does nothing: preallocate wrote every page.
func populate([]byte) error { return nil }

// cached reports whether the pages are in memory, which it assumes: there is no cheap way to ask.
func cached([]byte) bool { return true }
