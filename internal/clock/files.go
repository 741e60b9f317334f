package clock

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// maxFiles bounds how many files NotBeforeFiles looks at.
const maxFiles = 10_000

// NotBeforeFiles tells the process' guard when the newest file below a directory of ours was changed. A directory that cannot be
// read tells nothing: whoever opens it says why.
func NotBeforeFiles(dir string) {
	if path, at := newest(dir); path != "" {
		NotBefore(at, fmt.Sprintf("%s, which was changed at %s", path, at.UTC().Format(time.RFC3339)))
	}
}

// newest finds the file below dir that was changed last.
func newest(dir string) (newest string, at time.Time) {
	n := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if n++; n > maxFiles {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // whoever opens the file says why
		}
		if info, err := d.Info(); err == nil && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
		return nil
	})
	return newest, at
}
