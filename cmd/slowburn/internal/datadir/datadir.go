// Package datadir keeps SLOWBURN_DATA_DIR, the directory that the shipped configuration puts all files in, to one gateway: Claim. Of and
// Roots find the directories of a configuration.
package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/owner"
)

const (
	variable = "SLOWBURN_DATA_DIR"
	shipped  = "slowburn-data" // where the variable is not set, as config.yaml has it
)

// Claim locks the data directory for this process if a running component has its files there. Call it before any component
// opens a file, and call release at the end. The error names the process that has the lock. If the directory cannot be made
// or locked for another reason there is no error: the components report it, each with its purpose. Directories elsewhere
// have locks of their own.
func Claim(conf *confmap.Conf) (release func(), err error) {
	none := func() {}
	dir := os.Getenv(variable)
	if dir == "" {
		dir = shipped
	}
	if !keepsFilesIn(conf, dir) {
		return none, nil
	}
	claim, err := owner.Take(dir)
	var inUse *owner.InUseError
	if errors.As(err, &inUse) {
		return none, fmt.Errorf("%s: %w: stop that one, or set %s to a directory of this one's own (in Kubernetes, each pod needs a volume of its own)",
			variable, inUse, variable)
	}
	if err != nil {
		return none, nil //nolint:nilerr // the components report it
	}
	return func() { _ = claim.Release() }, nil // only read
}

// keepsFilesIn reports whether a component that runs has its directory at or below dir.
func keepsFilesIn(conf *confmap.Conf, dir string) bool {
	root, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(Of(conf), func(d Directory) bool {
		path, err := filepath.Abs(d.Path)
		return err == nil && within(path, root)
	})
}
