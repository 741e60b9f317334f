package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Directory is where a log's files are. One process has it at a time. It is safe for concurrent use.
type Directory struct {
	path string
	lock *os.File
	next atomic.Uint64 // the number that the next file gets
	used atomic.Int64  // bytes of all files
}

// OpenDirectory makes the directory if it is missing, and takes it for this process.
func OpenDirectory(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, explain("make the directory of the span log", path, err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, explain("open the directory of the span log", path, err)
	}
	locked, err := mapped.Lock(f)
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
	case freespace.Advice(path, err) != "":
		hint = freespace.Advice(path, err) + ", or lower disk_budget"
	case access.Advice(err) != "":
		hint = access.Advice(err)
	case errors.Is(err, fs.ErrExist), strings.Contains(err.Error(), "not a directory"):
		hint = "a file is in the way: move it, or set another directory"
	}
	return fmt.Errorf("cannot %s %s: %w: %s", what, path, err, hint)
}

// Path is where the directory is.
func (d *Directory) Path() string { return d.path }

// Close lets others have the directory. Its files stay.
func (d *Directory) Close() error { return d.lock.Close() }

// File is where a file of the directory is.
func (d *Directory) File(f File) string { return filepath.Join(d.path, f.name()) }

// Used is how many bytes all files take.
func (d *Directory) Used() int64 { return d.used.Load() }

// Create makes a file with room for so many bytes on the disk, and maps it.
func (d *Directory) Create(kind Kind, size int) (mapped.Memory, error) {
	failpoint.Before(failpoint.SpanlogCreate)
	number := d.next.Add(1)
	path := d.File(File{Number: number, Kind: kind})
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return mapped.Memory{}, err
	}
	defer closeQuietly(f) // the mapping stays
	m, err := mapped.Create(f, number, size)
	if err != nil {
		return mapped.Memory{}, errors.Join(err, os.Remove(path))
	}
	d.used.Add(int64(size))
	failpoint.After(failpoint.SpanlogCreate)
	return m, nil
}

// reopen maps a segment's file that is marked as free.
func (d *Directory) reopen(f File) (mapped.Memory, error) {
	file, err := os.OpenFile(d.File(f), os.O_RDWR, 0)
	if err != nil {
		return mapped.Memory{}, err
	}
	defer closeQuietly(file) // the mapping stays
	return mapped.Reopen(file, f.Number, int(f.Size))
}

// markFree marks a file as free that is not mapped.
func (d *Directory) markFree(f File) error {
	file, err := os.OpenFile(d.File(f), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	failpoint.Before(failpoint.SpanlogGiveUp)
	_, err = file.WriteAt([]byte(format.MagicFree), 0)
	failpoint.After(failpoint.SpanlogGiveUp)
	return errors.Join(err, file.Close())
}

// Remove deletes a file.
func (d *Directory) Remove(f File) error {
	d.used.Add(-f.Size)
	failpoint.Before(failpoint.SpanlogRemove)
	err := os.Remove(d.File(f))
	failpoint.After(failpoint.SpanlogRemove)
	return err
}

// Read reads the beginning of a segment's file into buf.
func (d *Directory) Read(f File, buf []byte) error {
	file, err := os.Open(d.File(f))
	if err != nil {
		return fmt.Errorf("read spans back: %w", err)
	}
	defer closeQuietly(file)
	if _, err := file.ReadAt(buf, 0); err != nil {
		return fmt.Errorf("read spans back from %s: %w", file.Name(), err)
	}
	return nil
}

// ReadPacked reads a segment's bytes, which are as many as buf has, from its packed file.
func (d *Directory) ReadPacked(f File, buf []byte) error {
	b, err := readPacked(d.File(f), buf[:0:len(buf)])
	if err == nil && len(b) != len(buf) {
		err = format.ErrDamaged
	}
	if err != nil {
		return fmt.Errorf("read compressed spans back: %w", err)
	}
	copy(buf, b) // onto itself, where there was room
	return nil
}

// readPacked reads a packed file, into buf where that has room.
func readPacked(path string, buf []byte) (format.Records, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return format.Unpack(b, path, buf)
}
