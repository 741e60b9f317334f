package clock

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// maxFiles limits the files that NotBeforeFiles looks at.
const maxFiles = 10_000

// NotBeforeFiles reports the change of the newest file below a directory of ours to the process's guard. It ignores a directory
// that cannot be read: opening it reports that.
func NotBeforeFiles(dir string) {
	if path, at := newestFile(dir); path != "" {
		NotBefore(at, fmt.Sprintf("%s, which was changed at %s", path, at.UTC().Format(time.RFC3339)))
	}
}

// newestFile returns the file below dir that was changed last.
func newestFile(dir string) (newest string, at time.Time) {
	n := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if n++; n > maxFiles {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // whoever opens the file reports it
		}
		if info, err := d.Info(); err == nil && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
		return nil
	})
	return newest, at
}
