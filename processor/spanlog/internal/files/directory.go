package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Directory holds a log's files. One process has it at a time. It is safe for concurrent use.
type Directory struct {
	path string
	sys  System
	lock io.Closer
	next atomic.Uint64 // the highest number of a file
	used atomic.Int64  // bytes of all files
}

// OpenDirectory opens a directory, makes it if it is missing, and locks it for this process.
func OpenDirectory(path string) (*Directory, error) { return OpenDirectoryOn(OS, path) }

// OpenDirectoryOn is OpenDirectory on another file system.
func OpenDirectoryOn(sys System, path string) (*Directory, error) {
	if err := sys.MakeDirectory(path); err != nil {
		return nil, explain("make the directory of the span log", path, err)
	}
	lock, err := sys.Lock(filepath.Join(path, lockName))
	if owned := (*OwnedError)(nil); errors.As(err, &owned) {
		return nil, fmt.Errorf("the span log in %s is in use by another process (%s): "+
			"stop that, or give this one another directory", path, strings.TrimSpace("pid "+owned.By))
	}
	if err != nil {
		return nil, explain("open the directory of the span log", path, err)
	}
	return &Directory{path: path, sys: sys, lock: lock}, nil
}

// explain wraps an error of the file system with the failed action, the path, and advice.
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

// Path returns the directory's path.
func (d *Directory) Path() string { return d.path }

// Close unlocks the directory. Its files stay.
func (d *Directory) Close() error { return d.lock.Close() }

// File returns the path of a file in the directory.
func (d *Directory) File(f File) string { return filepath.Join(d.path, f.name()) }

// Used returns how many bytes all files take.
func (d *Directory) Used() int64 { return d.used.Load() }

// Create makes a file of so many allocated bytes, and maps it.
func (d *Directory) Create(kind Kind, size int) (mapped.Memory, error) {
	failpoint.Before(failpoint.SpanlogCreate)
	number := d.next.Add(1)
	m, err := d.sys.Create(d.File(File{Number: number, Kind: kind}), number, size)
	if err != nil {
		return mapped.Memory{}, err
	}
	d.used.Add(int64(size))
	failpoint.After(failpoint.SpanlogCreate)
	return m, nil
}

// reopen maps a segment's file that is marked as free.
func (d *Directory) reopen(f File) (mapped.Memory, error) {
	return d.sys.Reopen(d.File(f), f.Number, int(f.Size))
}

// markFree marks an unmapped file as free.
func (d *Directory) markFree(f File) error {
	failpoint.Before(failpoint.SpanlogGiveUp)
	err := d.sys.Overwrite(d.File(f), []byte(format.MagicFree))
	failpoint.After(failpoint.SpanlogGiveUp)
	return err
}

// Remove deletes a file.
func (d *Directory) Remove(f File) error {
	d.used.Add(-f.Size)
	failpoint.Before(failpoint.SpanlogRemove)
	err := d.sys.Remove(d.File(f))
	failpoint.After(failpoint.SpanlogRemove)
	return err
}

// Open opens a file for reading.
func (d *Directory) Open(f File) (ReadFile, error) { return d.sys.Open(d.File(f)) }

// Read reads the beginning of a segment's file into buf.
func (d *Directory) Read(f File, buf []byte) error {
	_, err := d.sys.ReadBeginning(d.File(f), buf)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("read spans back from %s: %w", d.File(f), err)
	case err != nil:
		return fmt.Errorf("read spans back: %w", err)
	default:
		return nil
	}
}

// ReadPacked decodes a packed file into buf, which has the segment's size. The error is format.ErrDamaged if a block is damaged or the
// size differs.
func (d *Directory) ReadPacked(f File, buf []byte) error {
	b, damaged, err := readPacked(d.sys, d.File(f), buf[:0:len(buf)])
	if err == nil && (damaged > 0 || len(b) != len(buf)) {
		err = format.ErrDamaged
	}
	if err != nil {
		return fmt.Errorf("read compressed spans back: %w", err)
	}
	copy(buf, b) // b is buf if that had room
	return nil
}

// readPacked decodes a packed file, into buf if that has room, and counts damaged blocks, whose bytes are zero.
func readPacked(sys System, path string, buf []byte) (r format.Records, damaged int, err error) {
	b, err := sys.ReadAll(path)
	if err != nil {
		return nil, 0, err
	}
	return format.Unpack(b, path, buf)
}
