package spanlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// Directory is where a log's files are. One process has it at a time. It is safe for concurrent use.
type Directory struct {
	path string
	lock *os.File
	next atomic.Uint64 // the number that the next file gets
	used atomic.Int64  // bytes of all files
}

// Names of files are numbers, in hexadecimal, and one of these.
const (
	segmentSuffix   = ".seg"
	journalSuffix   = ".jnl"
	packedSuffix    = ".pak"
	temporarySuffix = ".tmp"
	damagedSuffix   = ".damaged"
	lockName        = "LOCK"
)

// OpenDirectory makes the directory if it is missing, and takes it for this process.
func OpenDirectory(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, explain("make the directory of the span log", path, err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, explain("open the directory of the span log", path, err)
	}
	locked, err := lockFile(f)
	if err != nil || !locked {
		owner := make([]byte, 20)
		n, _ := f.ReadAt(owner, 0) // best effort: it is only for the message
		closeQuietly(f)
		if err != nil {
			return nil, explain("lock the directory of the span log", path, err)
		}
		return nil, fmt.Errorf("the span log in %s is in use by another process (%s): "+
			"stop that, or give this one another directory", path, strings.TrimSpace("pid "+string(owner[:n])))
	}
	d := &Directory{path: path, lock: f}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid()))); err != nil {
		closeQuietly(f)
		return nil, explain("write to the directory of the span log", path, err)
	}
	return d, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// closeQuietly closes a file that was only read, or of which the mapping counts, so that there is nothing to lose.
func closeQuietly(f *os.File) { _ = f.Close() }

// explain adds to an error of the system what to do about it.
func explain(what, path string, err error) error {
	hint := "see to it that the disk works, or set another directory"
	switch {
	case errors.Is(err, fs.ErrPermission):
		hint = "let the user who runs slowburn write there, or set another directory"
	case errors.Is(err, fs.ErrExist), strings.Contains(err.Error(), "not a directory"):
		hint = "a file is in the way: move it, or set another directory"
	}
	return fmt.Errorf("cannot %s %s: %w: %s", what, path, err, hint)
}

// Path is where the directory is.
func (d *Directory) Path() string { return d.path }

// Close lets others have the directory. Its files stay.
func (d *Directory) Close() error { return d.lock.Close() }

func (d *Directory) file(number uint64, suffix string) string {
	return filepath.Join(d.path, fmt.Sprintf("%08x%s", number, suffix))
}

// create makes a file with room for so many bytes on the disk, and maps it.
func (d *Directory) create(suffix string, size int) (chunk, error) {
	number := d.next.Add(1)
	path := d.file(number, suffix)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return chunk{}, err
	}
	defer closeQuietly(f) // the mapping stays
	b, err := mapWhole(f, size, populate)
	if err != nil {
		return chunk{}, errors.Join(err, os.Remove(path))
	}
	d.used.Add(int64(size))
	return chunk{number: number, buf: b}, nil
}

// mapWhole maps a file after seeing to it that it has room for so many bytes on the disk, and has the mapping prepared.
func mapWhole(f *os.File, size int, prepare func([]byte) error) ([]byte, error) {
	if err := preallocate(f, size); err != nil {
		return nil, err
	}
	b, err := mapFile(f, size)
	if err != nil {
		return nil, err
	}
	if err := prepare(b); err != nil {
		unmapFile(b)
		return nil, err
	}
	return b, nil
}

// remove deletes a file of so many bytes.
func (d *Directory) remove(number uint64, suffix string, size int64) error {
	d.used.Add(-size)
	return os.Remove(d.file(number, suffix))
}

// files allocates segments in files of a directory.
type files struct{ *Directory }

func (f files) allocate(size int) (chunk, error) { return f.create(segmentSuffix, size) }

func (f files) release(c chunk) error {
	unmapFile(c.buf)
	return f.remove(c.number, segmentSuffix, int64(len(c.buf)))
}

func (f files) unmap(c chunk) { unmapFile(c.buf) }
