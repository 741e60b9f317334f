// Package owner keeps a directory to one process. Its one type is Claim: the lock of a file in the directory, which says which process has it.
//
// The kernel takes the lock back when the process ends, in whatever way. On a volume that several machines mount, the lock reaches as far as
// the file system carries flock: NFS does.
package owner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/mapped"
)

// lockName is the file's. It is a name of its own, so that no store takes it for one of its files.
const lockName = "slowburn.lock"

// InUseError is a directory that another process has.
type InUseError struct {
	Dir   string
	Owner string // such as "pid 12 on host eu-1, since 2026-11-26T20:00:00Z"; empty where it has not said so yet
}

func (e *InUseError) Error() string {
	owner := e.Owner
	if owner == "" {
		owner = "which has just started"
	}
	return fmt.Sprintf("%s is in use by another process (%s)", e.Dir, owner)
}

// Claim is a directory that this process has.
type Claim struct{ lock *os.File }

// Take makes the directory if it is missing, and takes it for this process. It returns an *InUseError where another process has it;
// any other error says that the directory cannot be locked.
func Take(dir string) (*Claim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	locked, err := mapped.Lock(f)
	if err == nil && !locked {
		err = &InUseError{Dir: dir, Owner: read(f)}
	}
	if err == nil {
		err = write(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Claim{f}, nil
}

// Release lets others have the directory. The file stays: removed, it would be another file that the next process locks.
func (c *Claim) Release() error { return c.lock.Close() }

// write says which process this is. A disk that has no room for it keeps the directory all the same.
func write(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	line := fmt.Sprintf("pid %d", os.Getpid())
	if host, err := os.Hostname(); err == nil {
		line += " on host " + host
	}
	_, _ = f.WriteAt([]byte(line+", since "+clock.Now().UTC().Format(time.RFC3339)+"\n"), 0)
	return nil
}

// read is what the owner wrote, or nothing.
func read(f *os.File) string {
	b := make([]byte, 512)
	n, _ := f.ReadAt(b, 0)
	line, _, _ := bytes.Cut(b[:n], []byte("\n"))
	return string(bytes.ToValidUTF8(bytes.TrimSpace(line), nil))
}
