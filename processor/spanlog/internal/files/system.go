package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/slowburn/slowburn/internal/mapped"
)

// System is where files are: OS, or what stands for it in a simulation. Its methods may be called concurrently. Paths are absolute,
// or relative to the same place; errors are those of package os, so that errors.Is tells what is wrong.
type System interface {
	// MakeDirectory makes a directory, and those above it, unless it is there.
	MakeDirectory(path string) error
	// ReadDirectory returns what is in a directory, sorted by name.
	ReadDirectory(path string) ([]fs.DirEntry, error)
	// Lock makes a file and takes its lock, until that is closed. Where somebody has it, the error is an *OwnedError.
	Lock(path string) (io.Closer, error)
	// Create makes a file with so many bytes set aside, and maps it. The file is not there before, and not if it fails.
	Create(path string, number uint64, size int) (mapped.Memory, error)
	// Reopen maps a file that is there; see mapped.Reopen.
	Reopen(path string, number uint64, size int) (mapped.Memory, error)
	// ReadBeginning reads the beginning of a file, as far as buf goes, and returns the file's size in bytes. Where that is less than buf
	// has, the error is io.EOF.
	ReadBeginning(path string, buf []byte) (size int64, err error)
	// Open opens a file to be read. It can be read until it is closed, whatever becomes of its name.
	Open(path string) (ReadFile, error)
	// ReadAll reads a file.
	ReadAll(path string) ([]byte, error)
	// Write makes a file with these bytes, which is not there before, and flushes it where that is asked for.
	Write(path string, b []byte, flush bool) error
	// Overwrite writes over the beginning of a file.
	Overwrite(path string, b []byte) error
	// Exists reports whether there is a file, or anything else.
	Exists(path string) (bool, error)
	// Rename gives a file another name.
	Rename(from, to string) error
	// Remove deletes a file, or an empty directory.
	Remove(path string) error
	// Fsync flushes a file, or the names in a directory.
	Fsync(path string) error
}

// ReadFile is a file that is open to be read. Reading it may be done concurrently.
type ReadFile interface {
	io.ReaderAt
	io.Closer
}

// OwnedError is a lock that another process has.
type OwnedError struct{ By string } // its process ID, as far as it is known

func (e *OwnedError) Error() string { return "locked by process " + e.By }

// OS is the machine's files.
var OS System = machine{}

type machine struct{}

func (machine) MakeDirectory(path string) error                  { return os.MkdirAll(path, 0o700) }
func (machine) ReadDirectory(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (machine) ReadAll(path string) ([]byte, error)              { return os.ReadFile(path) }
func (machine) Rename(from, to string) error                     { return os.Rename(from, to) }
func (machine) Remove(path string) error                         { return os.Remove(path) }

func (machine) Lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	locked, err := mapped.Lock(f)
	if err == nil && !locked {
		owner := make([]byte, 20)
		n, _ := f.ReadAt(owner, 0) // best effort: it is only for the message
		err = &OwnedError{By: string(owner[:n])}
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
		err = errors.Join(f.Truncate(int64(len(strconv.Itoa(os.Getpid())))), err)
	}
	if err != nil {
		closeQuietly(f)
		return nil, err
	}
	return f, nil
}

func (machine) Create(path string, number uint64, size int) (mapped.Memory, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return mapped.Memory{}, err
	}
	defer closeQuietly(f) // the mapping stays
	m, err := mapped.Create(f, number, size)
	if err != nil {
		return mapped.Memory{}, errors.Join(err, os.Remove(path))
	}
	return m, nil
}

func (machine) Reopen(path string, number uint64, size int) (mapped.Memory, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return mapped.Memory{}, err
	}
	defer closeQuietly(f) // the mapping stays
	return mapped.Reopen(f, number, size)
}

func (machine) ReadBeginning(path string, buf []byte) (size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer closeQuietly(f)
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	_, err = f.ReadAt(buf, 0)
	return info.Size(), err
}

func (machine) Open(path string) (ReadFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // not the file that is nil: it would be an interface that is not
	}
	return f, nil
}

func (machine) Write(path string, b []byte, flush bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && flush {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (machine) Overwrite(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	return errors.Join(err, f.Close())
}

func (machine) Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (machine) Fsync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer closeQuietly(f)
	return f.Sync()
}

// closeQuietly closes a file that was only read, or of which the mapping counts, so that there is nothing to lose.
func closeQuietly(f *os.File) { _ = f.Close() }
