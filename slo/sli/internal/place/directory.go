package place

import (
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

	"github.com/slowburn/slowburn/internal/mapped"
)

var errDamaged = errors.New("it is damaged")

// Directory is a Place in files. One process has it at a time.
type Directory struct {
	path string
	name string // of the files, up to the generation
	boot string
	lock *os.File
	next uint64   // the generation that Begin makes
	old  []string // files that the next snapshot makes needless
}

var _ Place = (*Directory)(nil)

const (
	suffix        = ".counts"
	lockSuffix    = ".lock"
	damagedSuffix = ".damaged"
)

// Open takes the files of a connector in a directory, which it makes if need be. It returns ErrInUse if another process has
// them.
func Open(path, connector string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, explain("make the directory", path, err)
	}
	d := &Directory{path: path, name: url.PathEscape(connector), boot: bootID(), next: 1}
	lock := filepath.Join(path, d.name+lockSuffix)
	f, err := os.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, explain("open", lock, err)
	}
	locked, err := mapped.Lock(f)
	if err != nil {
		return nil, errors.Join(explain("lock", lock, err), f.Close())
	}
	if !locked {
		owner := make([]byte, 20)
		n, _ := f.ReadAt(owner, 0) // best effort: it is only for the message
		return nil, errors.Join(fmt.Errorf("the counts of %s in %s are %w (pid %s): stop that, or give this one another directory",
			connector, path, ErrInUse, strings.TrimSpace(string(owner[:n]))), f.Close())
	}
	d.lock = f
	_ = f.Truncate(0)                                      // best effort, as the disk may be full: it is only
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0) // for the message above
	return d, nil
}

// bootID tells one start of the machine from another. It is empty where the system does not say.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	id := strings.TrimSpace(string(b))
	return id[:min(len(id), bootLength)]
}

// explain adds to an error of the system what to do about it.
func explain(what, path string, err error) error {
	hint := "see to it that the disk works, or set another directory"
	switch {
	case errors.Is(err, syscall.ENOSPC):
		hint = "free space on that disk, or set another directory"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "let the user who runs slowburn write there, or set another directory"
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTDIR):
		hint = "a file is in the way: move it, or set another directory"
	}
	return fmt.Errorf("cannot %s %s: %w: %s", what, path, err, hint)
}

// Close implements Place.
func (d *Directory) Close() error { return d.lock.Close() }

func (d *Directory) file(generation uint64) string {
	return filepath.Join(d.path, d.name+"."+strconv.FormatUint(generation, 10)+suffix)
}

// generations are the files of the connector, oldest first.
func (d *Directory) generations() ([]uint64, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, explain("read the directory", d.path, err)
	}
	var list []uint64
	for _, e := range entries {
		text, ours := strings.CutPrefix(e.Name(), d.name+".")
		text, counts := strings.CutSuffix(text, suffix)
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
	var files []found
	for _, n := range list {
		d.next = max(d.next, n+1)
		f, err := read(d.file(n))
		if err != nil {
			return Found{}, explain("read", d.file(n), err)
		}
		files = append(files, f)
		d.old = append(d.old, f.path)
	}
	f, why := recoverFrom(files, d.boot, take)
	if why == nil {
		return f, nil
	}
	f = Found{Lost: fmt.Sprintf("counts of before could not be taken up: %s", why)}
	if !errors.Is(why, errDamaged) {
		return f, nil // nothing is wrong with the files, and nobody needs them
	}
	d.old = nil
	for _, file := range files {
		if err := os.Rename(file.path, file.path+damagedSuffix); err != nil {
			return Found{}, explain("move aside", file.path, err)
		}
	}
	f.Lost += ", and is now " + files[len(files)-1].path + damagedSuffix
	return f, nil
}

// Desert implements Place.
func (d *Directory) Desert() error {
	if len(d.old) == 0 {
		return nil
	}
	path := d.old[len(d.old)-1]
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt([]byte{1}, desertedAt)
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		return nil
	}
	if removed := os.Remove(path); removed != nil {
		return explain("mark", path, err)
	}
	return nil
}

// found is what was read of a file.
type found struct {
	path     string
	head     head
	valid    bool // the head
	page     []byte
	log      []byte
	snapshot []byte // nil where none was committed
}

func read(path string) (found, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return found{}, err
	}
	f := found{path: path}
	f.head, f.valid = decodeHead(b)
	if !f.valid {
		return f, nil
	}
	f.page = b[:pageSize]
	end := min(pageSize+f.head.room, uint64(len(b)))
	f.log = b[pageSize:end]
	if bytes, sum, ok := decodeSnapshotHead(b); ok && bytes <= uint64(len(b))-end {
		if s := b[end:][:bytes]; crcOf(s) == sum {
			f.snapshot = s
		} else {
			f.valid = false
		}
	}
	return f, nil
}

// recoverFrom hands on what the files have, oldest first: the newest snapshot, and the logs from there on.
func recoverFrom(files []found, boot string, take func([]byte) error) (f Found, why error) {
	if len(files) == 0 {
		return Found{}, nil
	}
	last := files[len(files)-1]
	if !last.valid && last.head.version != version && last.head.version != 0 {
		return f, fmt.Errorf("%s has format version %d, and this is a gateway for version %d: %w", last.path, last.head.version, version, errDamaged)
	}
	first := len(files) - 1
	for first >= 0 && files[first].snapshot == nil {
		first--
	}
	if first < 0 {
		if !last.valid {
			return f, fmt.Errorf("%s cannot be read: %w", last.path, errDamaged)
		}
		return f, nil // nothing was counted behind a snapshot yet
	}
	for _, file := range files[first:] {
		if !file.valid {
			return f, fmt.Errorf("%s cannot be read: %w", file.path, errDamaged)
		}
		if file.page[desertedAt] != 0 {
			return f, errors.New("their file could not be written any more, and counting went on in memory")
		}
		if file.head.boot != boot && file.page[closedAt] == 0 {
			return f, errors.New("the machine was started anew without the gateway having been stopped")
		}
	}
	n, err := readSnapshot(files[first].snapshot, take)
	f.Records += n
	for _, file := range files[first:] {
		if err == nil {
			n, err = readLog(file.log, file.head.salt, take)
			f.Records += n
		}
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w: %w", last.path, err, errDamaged)
	}
	return f, nil
}
