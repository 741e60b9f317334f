package files

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slowburn/slowburn/internal/failpoint"
)

// OtherFormat is the files of a format version that this package does not read, which were moved aside.
type OtherFormat struct {
	Version uint32
	Path    string // the directory where they are now, a log of its own
	Files   int
	Bytes   int64
}

// Directories of files of another format version are named by these and the version. Such files are a log together, so a
// directory has its final name once all of them are in it, and gets no others later.
const (
	otherFormatPrefix = "other-format-"
	unfinishedSuffix  = ".unfinished"
)

// otherFormats are files that are to be moved aside, by version.
type otherFormats map[uint32][]File

func (o otherFormats) add(version uint32, f ...File) { o[version] = append(o[version], f...) }

// addUnfinished adds a version without further files if the entry is a directory whose move a former start did not finish.
func (o otherFormats) addUnfinished(entry fs.DirEntry) {
	name, ours := strings.CutPrefix(entry.Name(), otherFormatPrefix)
	name, unfinished := strings.CutSuffix(name, unfinishedSuffix)
	version, err := strconv.ParseUint(name, 10, 32)
	if ours && unfinished && err == nil && entry.IsDir() {
		o.add(uint32(version))
	}
}

// moveAside moves files of other versions into directories of their own, so that they are neither read again nor lost.
func (inv *Inventory) moveAside(d *Directory, other otherFormats) error {
	for _, version := range slices.Sorted(maps.Keys(other)) {
		moved, err := d.moveVersion(version, other[version])
		if moved.Files > 0 {
			inv.OtherFormats = append(inv.OtherFormats, moved)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moveVersion moves the files of a version, with those that a former start moved that did not finish. It returns no
// files unless their directory got its final name.
func (d *Directory) moveVersion(version uint32, list []File) (OtherFormat, error) {
	final := filepath.Join(d.path, otherFormatPrefix+strconv.FormatUint(uint64(version), 10))
	unfinished := final + unfinishedSuffix
	if err := d.sys.MakeDirectory(unfinished); err != nil {
		return OtherFormat{}, explain(fmt.Sprintf("make the directory for files of format version %d,", version), unfinished, err)
	}
	for _, f := range list {
		if err := renameToNew(d.sys, d.File(f), filepath.Join(unfinished, f.name())); err != nil {
			return OtherFormat{}, explain(fmt.Sprintf("move aside the file of format version %d,", version), d.File(f), err)
		}
	}
	moved, err := d.finishMove(unfinished, final)
	moved.Version = version
	if err != nil {
		return moved, explain(fmt.Sprintf("finish moving aside the files of format version %d in", version), unfinished, err)
	}
	return moved, nil
}

// finishMove gives a directory its final name, or a number behind it where there is one of an earlier move, and makes that
// durable. An empty directory is deleted.
func (d *Directory) finishMove(unfinished, final string) (OtherFormat, error) {
	moved, err := measure(d.sys, unfinished)
	if err != nil {
		return OtherFormat{}, err
	}
	if moved.Files == 0 {
		return OtherFormat{}, d.sys.Remove(unfinished)
	}
	if err := d.sys.Fsync(unfinished); err != nil {
		return OtherFormat{}, err
	}
	moved.Path = final
	err = renameToNew(d.sys, unfinished, moved.Path)
	for n := 2; errors.Is(err, fs.ErrExist); n++ {
		moved.Path = fmt.Sprintf("%s-%d", final, n)
		err = renameToNew(d.sys, unfinished, moved.Path)
	}
	if err != nil {
		return OtherFormat{}, err
	}
	return moved, d.sys.Fsync(d.path)
}

// measure counts the files of a directory and their bytes.
func measure(sys System, path string) (m OtherFormat, err error) {
	entries, err := sys.ReadDirectory(path)
	if err != nil {
		return OtherFormat{}, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return OtherFormat{}, err
		}
		m.Files++
		m.Bytes += info.Size()
	}
	return m, nil
}

// renameToNew is os.Rename that overwrites nothing. Nobody else makes files in the directory while it is locked.
func renameToNew(sys System, from, to string) error {
	there, err := sys.Exists(to)
	if there {
		err = fs.ErrExist
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	failpoint.Before(failpoint.SpanlogMove)
	err = sys.Rename(from, to)
	failpoint.After(failpoint.SpanlogMove)
	return err
}
