//go:build !unix

package spanlog

import (
	"errors"
	"os"
)

var errNoFiles = errors.New("spans cannot be buffered on disk on this system: set storage to memory")

func lockFile(*os.File) (bool, error)       { return false, errNoFiles }
func mapFile(*os.File, int) ([]byte, error) { return nil, errNoFiles }
func unmapFile([]byte)                      {}
func preallocate(*os.File, int) error       { return errNoFiles }
func populate([]byte) error                 { return nil }
func cached([]byte) bool                    { return false }
