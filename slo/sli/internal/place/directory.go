package place

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/internal/otherformat"
)

// Directory is a Place in files, locked for one process.
type Directory struct {
	path      string
	connector string
	name      string // of the files, up to the generation
	boot      string
	lock      *os.File
	next      uint64   // the generation that Begin makes
	old       []string // files that the next snapshot supersedes
}

var _ Place = (*Directory)(nil)

const (
	countsSuffix  = ".counts"
	lockSuffix    = ".lock"
	newSuffix     = ".counts.new"
	damagedSuffix = ".damaged"
)

// Open locks the files of a connector in a directory, which it creates if missing. It returns ErrInUse if another process holds
// the lock.
func Open(path, connector string) (*Directory, error) {
	d := &Directory{path: path, connector: connector, name: url.PathEscape(connector), boot: bootID(), next: 1}
	if err := d.relock(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Directory) lockPath() string { return filepath.Join(d.path, d.name+lockSuffix) }

// relock takes the lock, unless it holds the file at that path: the file or the directory may have been removed.
func (d *Directory) relock() error {
	lock := d.lockPath()
	if d.lock != nil && isAt(lock, d.lock) {
		return nil
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return explain("make the directory", d.path, err)
	}
	f, err := os.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return explain("open", lock, err)
	}
	locked, err := mapped.Lock(f)
	if err != nil {
		return errors.Join(explain("lock", lock, err), f.Close())
	}
	if !locked {
		owner := make([]byte, 20)
		n, _ := f.ReadAt(owner, 0) // best effort: it is only for the message
		return errors.Join(fmt.Errorf("the counts of %s in %s are %w (pid %s): stop that, or give this one another directory",
			d.connector, d.path, ErrInUse, strings.TrimSpace(string(owner[:n]))), f.Close())
	}
	if d.lock != nil {
		_ = d.lock.Close() // its file was removed
	}
	d.lock = f
	_ = f.Truncate(0)                                      // best effort, as the disk may be full: it is only
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0) // for the message above
	return nil
}

// bootID identifies the current boot of the machine; empty if the system does not provide it.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	id := strings.TrimSpace(string(b))
	return id[:min(len(id), bootLength)]
}

// explain wraps an error of the system, with a hint on what to do.
func explain(action, path string, err error) error {
	hint := "check the disk, or set another directory"
	switch {
	case errors.Is(err, syscall.ENOSPC):
		hint = "free space on that disk, or set another directory"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "let the user who runs slowburn write there, or set another directory"
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTDIR):
		hint = "a file is in the way: move it, or set another directory"
	}
	return fmt.Errorf("cannot %s %s: %w: %s", action, path, err, hint)
}

// Close implements Place.
func (d *Directory) Close() error { return d.lock.Close() }

func (d *Directory) file(generation uint64) string {
	return filepath.Join(d.path, d.name+"."+strconv.FormatUint(generation, 10)+countsSuffix)
}

// generations returns the numbers of the connector's files, oldest first.
func (d *Directory) generations() ([]uint64, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, explain("read the directory", d.path, err)
	}
	var list []uint64
	for _, e := range entries {
		text, ours := strings.CutPrefix(e.Name(), d.name+".")
		text, counts := strings.CutSuffix(text, countsSuffix)
		if n, err := strconv.ParseUint(text, 10, 64); ours && counts && err == nil {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}

// Recover implements Place.
func (d *Directory) Recover(take func(record []byte) error) (Found, error) {
	list, err := d.generations()
	if err != nil {
		return Found{}, err
	}
	var files []parsedFile
	for _, n := range list {
		d.next = max(d.next, n+1)
		f, err := readFile(d.file(n))
		if err != nil {
			return Found{}, explain("read", d.file(n), err)
		}
		files = append(files, f)
		d.old = append(d.old, f.path)
	}
	f, cause := recoverFrom(files, d.boot, take)
	if cause == nil {
		return f, nil
	}
	f = Found{Lost: fmt.Sprintf("former counts could not be recovered: %s", cause)}
	if other := (*otherformat.Error)(nil); !errors.Is(cause, errDamaged) && !errors.As(cause, &other) {
		return f, nil // the files are sound, and of no use any more
	}
	d.old = nil
	var aside []string
	for _, file := range files {
		to, err := moveAside(file)
		if err != nil {
			return Found{}, explain("move aside", file.path, err)
		}
		aside = append(aside, to)
	}
	f.Lost += ", and is now " + strings.Join(aside, " and ")
	return f, nil
}

// moveAside renames an unusable file, and returns its new name.
func moveAside(file parsedFile) (to string, err error) {
	if other := (*otherformat.Error)(nil); errors.As(file.damage, &other) {
		moved, err := otherformat.MoveFile(file.path, other.Version)
		return moved.Path, err
	}
	to = file.path + damagedSuffix
	failpoint.Before(failpoint.CountsAside)
	err = os.Rename(file.path, to)
	failpoint.After(failpoint.CountsAside)
	return to, err
}

// Abandon implements Place.
func (d *Directory) Abandon() error {
	if len(d.old) == 0 {
		return nil
	}
	path := d.old[len(d.old)-1]
	err := markAbandoned(path)
	if err == nil {
		return nil
	}
	if removed := os.Remove(path); removed != nil {
		return explain("mark", path, err)
	}
	return nil
}

func markAbandoned(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	page := make([]byte, pageSize)
	if _, err := f.ReadAt(page, 0); err != nil {
		return errors.Join(err, f.Close())
	}
	h, ok := decodeHead(page)
	if !ok {
		return errors.Join(errDamaged, f.Close())
	}
	_, err = f.WriteAt(binary.LittleEndian.AppendUint64(nil, markOf(h.salt, stateAbandoned, 0)), markAt)
	return errors.Join(err, f.Close())
}
