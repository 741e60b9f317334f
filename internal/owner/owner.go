// Package owner keeps a directory to one process. Its one type is Claim: the lock of a file in the directory, which names the owning
// process.
//
// The kernel releases the lock when the process ends, in any way. On a volume that several machines mount, the lock works if the file
// system supports flock, as NFS does.
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

// lockName is the name of the lock file. No store uses it for a file of its own.
const lockName = "slowburn.lock"

// InUseError says that another process owns a directory.
type InUseError struct {
	Dir   string
	Owner string // such as "pid 12 on host eu-1, since 2026-11-26T20:00:00Z"; empty if it is not written yet
}

func (e *InUseError) Error() string {
	owner := e.Owner
	if owner == "" {
		owner = "which has just started"
	}
	return fmt.Sprintf("%s is in use by another process (%s)", e.Dir, owner)
}

// Claim is the ownership of a directory.
type Claim struct{ lock *os.File }

// Take creates the directory if it is missing, and claims it for this process. It returns an *InUseError if another process owns
// it; any other error says that the directory cannot be locked.
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

// Release releases the directory. The lock file stays: if it were removed, the next process would lock another file.
func (c *Claim) Release() error { return c.lock.Close() }

// write writes this process's identity. Without room on the disk, the claim holds all the same.
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

// read returns what the owner wrote, or nothing.
func read(f *os.File) string {
	b := make([]byte, 512)
	n, _ := f.ReadAt(b, 0)
	line, _, _ := bytes.Cut(b[:n], []byte("\n"))
	return string(bytes.ToValidUTF8(bytes.TrimSpace(line), nil))
}
