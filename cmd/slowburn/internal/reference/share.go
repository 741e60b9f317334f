package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// sharer moves objects that stand in several places of a schema to its definitions.
type sharer struct {
	defs  node
	seen  map[string]int    // how often, by canonical text
	names map[string]string // of definitions, by canonical text
}

// share replaces what schema and defs have in common by references to definitions, which it adds to defs.
func share(schema, defs node) {
	s := &sharer{defs: defs, seen: map[string]int{}, names: map[string]string{}}
	s.count(schema)
	s.count(defs)
	for _, name := range slices.Sorted(maps.Keys(defs)) {
		s.below(defs[name].(node))
	}
	s.below(schema)
}

// worthwhile is the smallest size of an object that is shared, in bytes.
const worthwhile = 300

func (s *sharer) count(value any) {
	switch value := value.(type) {
	case node:
		if text := canonical(value); len(text) > worthwhile {
			s.seen[text]++
		}
		for _, v := range value {
			s.count(v)
		}
	case []any:
		for _, v := range value {
			s.count(v)
		}
	}
}

// below calls replace for the nodes below a node.
func (s *sharer) below(n node) {
	texts := map[string]string{} // before anything below them is replaced
	for key, value := range n {
		if child, ok := value.(node); ok {
			texts[key] = canonical(child)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(n)) {
		switch value := n[key].(type) {
		case node:
			s.below(value)
			n[key] = s.replace(value, texts[key])
		case []any:
			for _, v := range value {
				if child, ok := v.(node); ok {
					s.below(child)
				}
			}
		}
	}
}

// replace returns a reference in place of a node that stands in several places, or the node.
func (s *sharer) replace(n node, text string) node {
	if s.seen[text] < 2 {
		return n
	}
	if s.names[text] == "" {
		s.names[text] = s.free(n["$comment"].(string))
		s.defs[s.names[text]] = withoutPlace(n)
	}
	out := ref(s.names[text])
	if d, ok := n["description"]; ok {
		out["description"] = d
	}
	return out
}

// free returns an unused name for a definition.
func (s *sharer) free(name string) string {
	name = strings.TrimPrefix(name, "*")
	for i, taken := 2, name; ; i++ {
		if s.defs[taken] == nil {
			return taken
		}
		taken = fmt.Sprintf("%s.%d", name, i)
	}
}

// withoutPlace returns a copy of a node without its description, which is about the place where it stands.
func withoutPlace(n node) node {
	out := maps.Clone(n)
	delete(out, "description")
	return out
}

// canonical returns the text by which equal objects are found, empty for other nodes.
func canonical(n node) string {
	if n["$comment"] == nil {
		return ""
	}
	text, err := json.Marshal(withoutPlace(n))
	if err != nil {
		panic(err) // nodes are made here, of what JSON has
	}
	return string(text)
}
