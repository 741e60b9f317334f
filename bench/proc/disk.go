package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReadBytes returns the number of bytes that the disk read for the process, because it read files or touched pages of mapped ones.
// Bytes from the page cache do not count.
func ReadBytes(pid int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "read_bytes: "); ok {
			return strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/%d/io has no read_bytes", pid)
}

// Cached returns the number of bytes in the page cache of the files at or below the paths. Files that are deleted meanwhile have
// none.
func Cached(paths ...string) (bytes uint64) {
	for _, path := range paths {
		_ = filepath.WalkDir(path, func(file string, entry os.DirEntry, err error) error { // an error is that of a file that went away
			if err == nil && entry.Type().IsRegular() {
				bytes += cached(file)
			}
			return nil
		})
	}
	return bytes
}

func cached(file string) (bytes uint64) {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0
	}
	defer func() { _ = unix.Munmap(mapped) }()
	page := os.Getpagesize()
	resident := make([]byte, (len(mapped)+page-1)/page)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&resident[0]))); errno != 0 {
		return 0
	}
	for _, r := range resident {
		if r&1 != 0 {
			bytes += uint64(page)
		}
	}
	return bytes
}
