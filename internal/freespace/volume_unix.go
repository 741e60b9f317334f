//go:build unix

package freespace

import "syscall"

func volume(path string) (Space, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return Space{}, err
	}
	size := int64(s.Bsize) //nolint:unconvert // of another type on other systems
	return Space{Free: int64(s.Bavail) * size, Total: int64(s.Blocks) * size}, nil
}
