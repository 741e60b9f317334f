//go:build unix && !linux

package mapped

import (
	"os"
	"testing"
)

// evict is not supported here.
func evict(*testing.T, *os.File) bool { return false }
