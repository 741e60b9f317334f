//go:build unix

package mapped

import (
	"errors"
	"os"
	"syscall"
)

// writeZeros fills a file with zeros, on systems that cannot allocate blocks.
func writeZeros(f *os.File, size int) error {
	zeros := make([]byte, min(size, 1<<20))
	for off := 0; off < size; off += len(zeros) {
		if _, err := f.WriteAt(zeros[:min(len(zeros), size-off)], int64(off)); err != nil {
			return err
		}
	}
	return nil
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
