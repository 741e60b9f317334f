package freespace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/slowburn/slowburn/internal/bytesize"
)

// Space is what the volume of a path has, in bytes.
type Space struct {
	Free, Total int64 // Free is what this process may use
}

// Of returns the space of the volume that a path is on, or will be on when it is made.
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

// Advice returns what to do about an error that a volume is full, or that the quota of the process's user is: a clause for the end of a
// message, which names the directory. It is empty where the error is another.
func Advice(directory string, err error) string {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return ""
	}
	left := ""
	if space, err := Of(directory); err == nil {
		left = fmt.Sprintf(" (%s of %s are free)", bytesize.About(space.Free), bytesize.About(space.Total))
	}
	return fmt.Sprintf("the volume of %s is full%s: free space there, or set directory to a place on another volume", directory, left)
}
