// Package datadir keeps SLOWBURN_DATA_DIR, the directory that the shipped configuration puts all files in, to one gateway. Its one function is
// Claim.
package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/owner"
)

const (
	variable = "SLOWBURN_DATA_DIR"
	shipped  = "slowburn-data" // where the variable is not set, as config.yaml has it
)

// Claim takes the data directory for this process, to be called before any component opens a file in it, where a component that runs has its
// files there. It returns what lets the directory go. Its error names the process that has it. A directory that cannot be made or
// locked is left to the components, each of which says what it needs it for; directories elsewhere have locks of their own.
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
		return none, nil //nolint:nilerr // the components say it
	}
	return func() { _ = claim.Release() }, nil // only read
}

// keepsFilesIn reports whether a component that runs has its directory at or below dir.
func keepsFilesIn(conf *confmap.Conf, dir string) bool {
	root, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	running := runningComponents(conf)
	for _, section := range []string{"receivers", "processors", "connectors", "exporters", "extensions"} {
		components, _ := conf.Get(section).(map[string]any)
		for id, config := range components {
			keys, _ := config.(map[string]any)
			path, _ := keys["directory"].(string)
			if !running[id] || path == "" || keys["storage"] == "memory" {
				continue
			}
			if path, err := filepath.Abs(path); err == nil && (path == root || strings.HasPrefix(path, root+string(filepath.Separator))) {
				return true
			}
		}
	}
	return false
}

// runningComponents are the IDs that service names.
func runningComponents(conf *confmap.Conf) map[string]bool {
	running := map[string]bool{}
	add := func(list any) {
		ids, _ := list.([]any)
		for _, id := range ids {
			if name, ok := id.(string); ok {
				running[name] = true
			}
		}
	}
	add(conf.Get("service::extensions"))
	pipelines, _ := conf.Get("service::pipelines").(map[string]any)
	for _, pipeline := range pipelines {
		lists, _ := pipeline.(map[string]any)
		for _, list := range lists {
			add(list)
		}
	}
	return running
}
