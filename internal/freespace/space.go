package freespace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/slowburn/slowburn/internal/units"
)

// Space is the space of a volume in bytes.
type Space struct {
	Free, Total int64 // Free is available to this process
}

// Of returns the space of the volume of a path. The path need not exist yet.
func Of(path string) (Space, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Space{}, err
	}
	for {
		space, err := volume(path)
		if up := filepath.Dir(path); errors.Is(err, os.ErrNotExist) && up != path {
			path = up
			continue
		}
		return space, err
	}
}

// Advice returns what to do about the error that a volume, or the user's quota, is full: a clause for the end of a message, which names
// the directory. It is empty for other errors.
func Advice(directory string, err error) string {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return ""
	}
	left := ""
	if space, err := Of(directory); err == nil {
		left = fmt.Sprintf(" (%s of %s are free)", units.About(space.Free), units.About(space.Total))
	}
	return fmt.Sprintf("the volume of %s is full%s: free space there, or set directory to a place on another volume", directory, left)
}
