package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/slowburn/slowburn/internal/mapped"
)

// System is a file system: OS, or a simulated one. Its methods may be called concurrently. Paths are absolute, or relative to
// the same directory. Errors are those of package os: use errors.Is.
type System interface {
	// MakeDirectory makes a directory and its parents if they are missing.
	MakeDirectory(path string) error
	// ReadDirectory returns the entries of a directory, sorted by name.
	ReadDirectory(path string) ([]fs.DirEntry, error)
	// Lock makes a file if it is missing and locks it until the result is closed. If another process has the lock the error is an
	// *OwnedError.
	Lock(path string) (io.Closer, error)
	// Create makes a new file of so many allocated bytes and maps it. If Create fails there is no file.
	Create(path string, number uint64, size int) (mapped.Memory, error)
	// Reopen maps an existing file; see mapped.Reopen.
	Reopen(path string, number uint64, size int) (mapped.Memory, error)
	// ReadBeginning fills buf from the beginning of a file, and returns the file's size in bytes. If the file is shorter than buf
	// the error is io.EOF.
	ReadBeginning(path string, buf []byte) (size int64, err error)
	// Open opens a file for reading, until it is closed, even if the file is renamed or deleted meanwhile.
	Open(path string) (ReadFile, error)
	// ReadAll reads a file.
	ReadAll(path string) ([]byte, error)
	// Write makes a new file with these bytes, and flushes it if flush is set.
	Write(path string, b []byte, flush bool) error
	// Overwrite writes bytes over the beginning of an existing file.
	Overwrite(path string, b []byte) error
	// Exists reports whether there is anything at a path.
	Exists(path string) (bool, error)
	// Rename renames a file.
	Rename(from, to string) error
	// Remove deletes a file, or an empty directory.
	Remove(path string) error
	// Fsync flushes a file, or the entries of a directory.
	Fsync(path string) error
}

// ReadFile is a file that is open for reading. ReadAt may be called concurrently.
type ReadFile interface {
	io.ReaderAt
	io.Closer
}

// OwnedError means that another process has the lock.
type OwnedError struct{ By string } // the process's ID; empty if it is not known

func (e *OwnedError) Error() string { return "locked by process " + e.By }

// OS is the operating system's file system.
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
		return nil, err // returning f would make an interface that is not nil
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

// closeQuietly closes a file and ignores the error: the file was only read, or stays mapped.
func closeQuietly(f *os.File) { _ = f.Close() }
