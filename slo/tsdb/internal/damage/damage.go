// Package damage finds the unreadable parts of a time series database that is not open, and moves them aside.
//
// Prometheus reads its log, and maps its chunks, on goroutines of its own, where a disk that fails is a fault or a panic that ends the
// process. Unreadable reads everything first, on the caller's: what fails fails there, and what does not is in memory then.
package damage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	promtsdb "github.com/prometheus/prometheus/tsdb"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/slo/tsdb/internal/upkeep"
)

// Chunks are those of the last hours, which the log has too; Log is the log, without which those chunks are nobody's. They go first, so that
// no crash leaves them without it: series that come later would be taken for theirs.
var (
	Chunks = []string{"chunks_head"}
	Log    = []string{"chunks_head", "wbl", "wal"}
)

// Unreadable returns the names of the database's parts that cannot be read, and why; none if all can. Readable parts with wrong
// contents are the database's to repair.
func Unreadable(directory string) (parts []string, why error) {
	for _, log := range []string{"wal", "wbl"} {
		if err := read(filepath.Join(directory, log)); err != nil {
			return Log, err
		}
	}
	if err := read(filepath.Join(directory, Chunks[0])); err != nil {
		return Chunks, err
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, nil //nolint:nilerr // the database says it
	}
	for _, entry := range entries {
		block := filepath.Join(directory, entry.Name())
		if _, err := os.Stat(filepath.Join(block, "meta.json")); err != nil {
			continue // no block, or not yet
		}
		if err := openBlock(block); err != nil {
			parts, why = append(parts, entry.Name()), errors.Join(why, fmt.Errorf("block %s: %w", entry.Name(), err))
		}
	}
	return parts, why
}

// openBlock returns why a block cannot be opened.
func openBlock(directory string) error {
	return upkeep.Guard(func() error {
		b, err := promtsdb.OpenBlock(nil, directory, nil, nil)
		if err != nil {
			return err
		}
		return b.Close()
	})
}

// read reads all files below a directory to their ends. It ignores missing files and missing permissions.
func read(directory string) error {
	buf := make([]byte, 1<<20)
	return filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			err = readFile(path, buf)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return err
	})
}

func readFile(path string, buf []byte) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	for err == nil {
		_, err = f.Read(buf)
	}
	_ = f.Close() // it was only read
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Move moves parts of the database to a new directory beside it, which it returns: its name begins with that of the database
// and the suffix. It skips missing parts.
func Move(directory, suffix string, parts []string) (aside string, err error) {
	aside, err = os.MkdirTemp(filepath.Dir(directory), filepath.Base(directory)+suffix)
	if err != nil {
		return "", err
	}
	for _, part := range parts {
		failpoint.Before(failpoint.TSDBAside)
		if err := os.Rename(filepath.Join(directory, part), filepath.Join(aside, part)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		failpoint.After(failpoint.TSDBAside)
	}
	return aside, nil
}
