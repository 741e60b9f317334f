package reference

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/slowburn/slowburn/processor/policy"
)

// Of describes what the factories read. root is the directory of the module, whose comments become descriptions.
func Of(root string, f otelcol.Factories) (*Reference, error) {
	w := &walker{comments: comments{root: root, packages: map[string]map[string]string{}}}
	r := &Reference{}
	add := func(section Section, types map[component.Type]component.Factory) {
		byName := func(a, b component.Type) int { return cmp.Compare(a.String(), b.String()) }
		for _, typ := range slices.SortedFunc(maps.Keys(types), byName) {
			c := Component{Section: section, Type: typ.String()}
			known := types[typ].Type().String()
			if known != c.Type {
				c.AliasOf = known
			}
			c.Keys = w.root(string(section)+"::"+known, types[typ].CreateDefaultConfig())
			r.Components = append(r.Components, c)
		}
	}
	add(Receivers, plain(f.Receivers))
	add(Processors, plain(f.Processors))
	add(Connectors, plain(f.Connectors))
	add(Exporters, plain(f.Exporters))
	add(Extensions, plain(f.Extensions))
	for _, form := range policy.Forms() {
		section := &Key{Name: string(form.Type)}
		if form.Section != nil {
			section = w.root(policyPath+string(form.Type), form.Section)
			section.Name = string(form.Type)
		}
		r.Policies = append(r.Policies, section)
	}
	r.Telemetry = w.root("service::telemetry", f.Telemetry.CreateDefaultConfig())
	return r, w.err
}

const (
	// policyPath is the beginning of the paths of a policy's keys, wherever the policy stands.
	policyPath = "policy::"
	// samplePath is the end of the paths of rules' samples.
	samplePath = "::rules[]::sample"
)

func plain[F component.Factory](factories map[component.Type]F) map[component.Type]component.Factory {
	out := make(map[component.Type]component.Factory, len(factories))
	for typ, f := range factories {
		out[typ] = f
	}
	return out
}

// root describes a structure by a pointer to it.
func (w *walker) root(path string, cfg any) *Key {
	v := reflect.ValueOf(cfg).Elem()
	k := w.key(path, "", v.Type(), v)
	comment, err := w.comments.of(v.Type(), "")
	if err != nil && w.err == nil {
		w.err = err
	}
	if k.Doc = comment; k.Rule.Doc != "" {
		k.Doc = k.Rule.Doc
	}
	return k
}

// All calls visit for a key and all below it.
func (k *Key) All(visit func(*Key)) {
	visit(k)
	for _, child := range k.Keys {
		child.All(visit)
	}
	if k.Elem != nil {
		k.Elem.All(visit)
	}
}

// Own calls visit for each key of this module's: those of its components, and of policies.
func (r *Reference) Own(visit func(*Key)) {
	for _, c := range r.Components {
		if ours(c.Keys.Type) {
			c.Keys.own(visit)
		}
	}
	for _, p := range r.Policies {
		if p.Type != nil {
			p.own(visit)
		}
	}
}

func (k *Key) own(visit func(*Key)) {
	if k.Foreign {
		return
	}
	visit(k)
	for _, child := range k.Keys {
		if ours(k.Type) {
			child.own(visit)
		}
	}
	if k.Elem != nil {
		k.Elem.own(visit)
	}
}

// Foreign calls visit for each key of the Collector's within this module's components.
func (r *Reference) Foreign(visit func(*Key)) {
	for _, c := range r.Components {
		if ours(c.Keys.Type) {
			c.Keys.All(func(k *Key) {
				if k.Foreign {
					visit(k)
				}
			})
		}
	}
}

// CollectorDocs returns the descriptions of the Collector's keys, by structure and key.
func CollectorDocs() map[string]string {
	all := map[string]string{}
	for structure, docs := range collectorDocs {
		for key, doc := range docs {
			all[structure+"::"+key] = doc
		}
	}
	return all
}

// RulePaths returns the paths of the keys that have a rule, except hidden ones.
func RulePaths() (paths []string) {
	for path, rule := range rules {
		if !rule.Hidden {
			paths = append(paths, path)
		}
	}
	return paths
}
