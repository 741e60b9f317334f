package datadir

import (
	"path/filepath"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Directory is the directory of a running component's files.
type Directory struct {
	Component string // as in processors::tail_sampling
	Path      string // as it is configured
}

var sections = []string{"receivers", "processors", "connectors", "exporters", "extensions"}

// Of returns the directories of the components that service names, in the order of their keys. It finds default directories only if conf
// has the defaults.
func Of(conf *confmap.Conf) (directories []Directory) {
	running := runningComponents(conf)
	for _, section := range sections {
		components, _ := conf.Get(section).(map[string]any)
		for id, config := range components {
			keys, _ := config.(map[string]any)
			path, _ := keys["directory"].(string)
			if !running[id] || path == "" || keys["storage"] == "memory" || keys["remote"] != nil {
				continue
			}
			directories = append(directories, Directory{section + confmap.KeyDelimiter + id, path})
		}
	}
	slices.SortFunc(directories, func(a, b Directory) int { return strings.Compare(a.Component, b.Component) })
	return directories
}

// Roots returns the absolute paths of directories, without those below another one.
func Roots(directories []Directory) (roots []string) {
	for _, d := range directories {
		if path, err := filepath.Abs(d.Path); err == nil {
			roots = append(roots, path)
		}
	}
	slices.Sort(roots)
	roots = slices.Compact(roots)
	all := slices.Clone(roots)
	return slices.DeleteFunc(roots, func(path string) bool {
		return slices.ContainsFunc(all, func(other string) bool { return other != path && within(path, other) })
	})
}

// within reports whether a path is the directory or below it. Both are absolute.
func within(path, directory string) bool {
	return path == directory || strings.HasPrefix(path, strings.TrimSuffix(directory, string(filepath.Separator))+string(filepath.Separator))
}

// runningComponents returns the IDs that service names.
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
