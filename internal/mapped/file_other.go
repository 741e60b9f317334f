//go:build !unix

package mapped

import (
	"errors"
	"os"
)

var errNoFiles = errors.New("files cannot be mapped on this system: set tail_sampling::storage to memory")

// Lock is not supported on this system.
func Lock(*os.File) (bool, error) { return false, errNoFiles }

func mapShared(*os.File, int) ([]byte, error) { return nil, errNoFiles }
func unmap([]byte)                            {}
func preallocate(*os.File, int) error         { return errNoFiles }
func populate([]byte) error                   { return nil }
func cached([]byte) bool                      { return false }
