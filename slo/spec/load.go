package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo"
)

// file is the content of a file of objectives.
type file struct {
	Objectives []Objective `mapstructure:"objectives"`
}

// Load builds the objectives of the configuration, then those of the files that match the patterns, pattern by pattern and by
// name. A file that several patterns match is read once.
func Load(inline []Objective, patterns []string) ([]slo.Objective, error) {
	l := loader{places: map[string]string{}}
	l.list("", inline)
	for i, pattern := range patterns {
		for _, path := range l.match(i, pattern) {
			l.file(path)
		}
	}
	l.resolve()
	return l.objectives, l.errs.join()
}

type loader struct {
	objectives []slo.Objective
	// places maps each name to where it was first defined.
	places map[string]string
	read   []string
	errs   errorList
}

// match returns the files that match a pattern. No match is an error.
func (l *loader) match(i int, pattern string) []string {
	paths, err := filepath.Glob(pattern)
	switch {
	case err != nil:
		l.errs.addf("files[%d]: %q is no pattern: write it like objectives/*.yaml: %w", i, pattern, err)
	case len(paths) == 0 && strings.ContainsAny(pattern, `*?[`):
		l.errs.addf("files[%d]: no file matches %q: correct the pattern or remove it", i, pattern)
	case len(paths) == 0:
		l.errs.addf("files[%d]: there is no file %q: correct the path or remove it", i, pattern)
	}
	return paths
}

func (l *loader) file(path string) {
	path = filepath.Clean(path)
	if slices.Contains(l.read, path) {
		return
	}
	l.read = append(l.read, path)
	objectives, err := readFile(path)
	l.errs.add(At(path, err))
	l.list(path, objectives)
}

// readFile decodes one file. Its keys are those of the configuration, but ${…} is not expanded, because a dollar in PromQL is
// part of a regular expression.
func readFile(path string) ([]Objective, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	retrieved, err := confmap.NewRetrievedFromYAML(content)
	if err != nil {
		return nil, fmt.Errorf("is no YAML: %w", err)
	}
	conf, err := retrieved.AsConf()
	if err != nil {
		return nil, fmt.Errorf("is no YAML map with the key objectives: %w", err)
	}
	if !conf.IsSet("objectives") {
		return nil, errors.New("has no key objectives; write {objectives: [...]}")
	}
	var f file
	err = conf.Unmarshal(&f)
	return f.Objectives, err
}

// list builds the objectives of one list. place is its file, "" for the configuration.
func (l *loader) list(place string, objectives []Objective) {
	for i, o := range objectives {
		here := fmt.Sprintf("objectives[%d]", i)
		if o.Name != "" {
			here += " (" + o.Name + ")"
		}
		if place != "" {
			here = place + ": " + here
		}
		built, err := o.build()
		l.errs.add(At(here, err))
		if first, dup := l.places[o.Name]; dup && o.Name != "" {
			l.errs.addf("%s::name: %q is taken by %s; give each a name of its own, as an objective's history is kept under its name", here, o.Name, first)
			continue
		}
		l.places[o.Name] = here
		if err == nil {
			l.objectives = append(l.objectives, built)
		}
	}
}
