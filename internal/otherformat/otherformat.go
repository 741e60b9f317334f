// Package otherformat moves files of another format version aside, so that the gateway starts without them: there are no migrations.
//
// A file NAME of version N becomes NAME.format-N, in the same directory; where that name is taken, NAME.format-N-2, and so on. Nothing
// is overwritten, and nothing that was moved is read or deleted later.
//
// Its types are Version, Error (a file that this program does not read), Mover and Moved (the files of one version). Nothing here locks:
// a Mover is for one goroutine, and a Moved does not change.
package otherformat

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/failpoint"
)

// Version is the format version of a file.
type Version uint64

// Unknown is a version that cannot be read.
const Unknown Version = math.MaxUint64

func (v Version) String() string {
	if v == Unknown {
		return "unknown"
	}
	return strconv.FormatUint(uint64(v), 10)
}

// Error says that a file is of another format version than the one that this program reads.
type Error struct{ Version, Reads Version }

func (e *Error) Error() string {
	return fmt.Sprintf("its format version is %s, and this version of slowburn reads %s", e.Version, e.Reads)
}

// System is where the files are. Its errors are those of package os.
type System interface {
	// Exists reports whether there is a file, or anything else.
	Exists(path string) (bool, error)
	// Rename gives a file another name.
	Rename(from, to string) error
	// Fsync flushes the names in a directory to the disk.
	Fsync(path string) error
}

// Moved is the files of one version that were moved aside.
type Moved struct {
	Version Version
	Path    string // the new name of the first
	Files   int
	Bytes   int64
}

// Mover moves the files of a component. Its zero value is for the files of the machine.
type Mover struct {
	System System // nil is the machine's files
	Moved  []Moved

	directories []string // those whose names changed since the last Flush
}

// Move moves a file, or a directory, that has so many bytes. The new name is on the disk after Flush: a power cut before that leaves the
// file under its old name, and the next start moves it.
func (m *Mover) Move(path string, version Version, bytes int64) error {
	sys := m.system()
	to := path + ".format-" + version.String()
	taken, err := sys.Exists(to)
	for n := 2; taken && err == nil; n++ {
		to = fmt.Sprintf("%s.format-%s-%d", path, version, n)
		taken, err = sys.Exists(to)
	}
	if err != nil {
		return err
	}
	failpoint.Before(failpoint.FormatMove)
	if err := sys.Rename(path, to); err != nil {
		return err
	}
	failpoint.After(failpoint.FormatMove)
	if dir := filepath.Dir(path); len(m.directories) == 0 || m.directories[len(m.directories)-1] != dir {
		m.directories = append(m.directories, dir)
	}
	for i := range m.Moved {
		if had := &m.Moved[i]; had.Version == version {
			had.Files++
			had.Bytes += bytes
			return nil
		}
	}
	m.Moved = append(m.Moved, Moved{Version: version, Path: to, Files: 1, Bytes: bytes})
	return nil
}

// Flush makes the new names survive a power cut.
func (m *Mover) Flush() error {
	var err error
	for _, dir := range m.directories {
		err = errors.Join(err, m.system().Fsync(dir))
	}
	m.directories = nil
	return err
}

func (m *Mover) system() System {
	if m.System == nil {
		return machine{}
	}
	return m.System
}

// MoveFile moves a single file of the machine, and flushes its new name.
func MoveFile(path string, version Version) (Moved, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Moved{}, err
	}
	var m Mover
	if err := m.Move(path, version, info.Size()); err != nil {
		return Moved{}, err
	}
	return m.Moved[0], m.Flush()
}

// Message says for people what was lost, a phrase such as "budgets start anew", and where the files are. It is empty where nothing was moved.
func Message(moved []Moved, reads Version, lost string) string {
	if len(moved) == 0 {
		return ""
	}
	texts := make([]string, len(moved))
	for i, m := range moved {
		what := "a file of format version %s was moved to %s"
		if m.Files > 1 {
			what = strconv.Itoa(m.Files) + " files of format version %s were moved aside, the first to %s"
		}
		texts[i] = fmt.Sprintf(what, m.Version, m.Path)
	}
	return fmt.Sprintf("%s: %s (this version of slowburn reads format version %s)", lost, strings.Join(texts, ", "), reads)
}

// Log logs the same, a line for each version. It is called at once: the next start does not know of the files any more.
func Log(logger *zap.Logger, moved []Moved, reads Version, lost string) {
	for _, m := range moved {
		logger.Warn("files of another format version moved aside: "+lost,
			zap.Stringer("format_version", m.Version), zap.Stringer("format_version_read", reads),
			zap.String("moved_to", m.Path), zap.Int("files", m.Files), zap.Int64("bytes", m.Bytes),
			zap.String("what_to_do", "delete the moved files or, to use them, give them their former names in another directory and run the version that wrote them there"))
	}
}

// machine is the machine's files.
type machine struct{}

func (machine) Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (machine) Rename(from, to string) error { return os.Rename(from, to) }

func (machine) Fsync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
