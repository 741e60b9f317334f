//go:build unix && !linux

package mapped

import (
	"os"
	"testing"
)

// evict is not to be had here.
func evict(*testing.T, *os.File) bool { return false }
