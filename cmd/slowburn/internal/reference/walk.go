package reference

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/slo"
)

// walker walks the structures of a configuration.
type walker struct {
	comments comments
	within   []reflect.Type // the structures around the one that is walked
	err      error
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	unmarshaler     = reflect.TypeFor[confmap.Unmarshaler]()
)

// key describes a value. v is its default, invalid without one.
func (w *walker) key(path, name string, t reflect.Type, v reflect.Value) *Key {
	k := &Key{Name: name, Path: path, Rule: ruleOf(path)}
	for t.Kind() == reflect.Pointer {
		t, k.Optional = t.Elem(), true
		v = reflect.Value{}
	}
	if elem, ok := optional(t); ok {
		k.Optional = !v.IsValid() || !has(v)
		t, v = elem, inside(v)
	}
	k.Type = t
	switch {
	case t == reflect.TypeFor[policy.Config]():
		k.Kind = PolicyKind
	case strings.HasSuffix(path, samplePath):
		k.Kind = SampleKind
	default:
		w.plain(k, v)
	}
	if k.Default, k.Set = written(k, v); k.Rule.Default != "" {
		k.Default, k.Set = k.Rule.Default, true
	}
	return k
}

// plain describes a value of a type that no package of this module decodes.
func (w *walker) plain(k *Key, v reflect.Value) {
	t := k.Type
	if t.Kind() == reflect.Int64 && t.PkgPath() != "" {
		if k.Unit = unitOf(t); k.Unit != nil {
			k.Kind = Quantity
			return
		}
	}
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		k.Kind = String
		return
	}
	switch t.Kind() {
	case reflect.String:
		k.Kind = String
	case reflect.Bool:
		k.Kind = Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		k.Kind = Integer
	case reflect.Float32, reflect.Float64:
		k.Kind = Number
	case reflect.Slice, reflect.Array:
		k.Kind, k.Elem = List, w.key(k.Path+"[]", "", t.Elem(), reflect.Value{})
		k.Open = reflect.PointerTo(t).Implements(unmarshaler)
	case reflect.Map:
		k.Kind, k.Elem = Map, w.key(k.Path+"::*", "", t.Elem(), reflect.Value{})
	case reflect.Struct:
		if slices.Contains(w.within, t) || !readable(t) {
			return // Any
		}
		if !v.IsValid() {
			v = reflect.New(t).Elem()
		}
		w.within = append(w.within, t)
		k.Kind = Object
		w.fields(k, t, defaults(t, v))
		w.within = w.within[:len(w.within)-1]
		k.Open = k.Open || !ours(t) && reflect.PointerTo(t).Implements(unmarshaler)
		if len(k.Keys) == 0 && !ours(t) {
			k.Kind, k.Open = Any, false
		}
	}
}

// readable reports whether the keys of a structure are in its tags. Those of the declarative telemetry configuration are not.
func readable(t reflect.Type) bool {
	return !strings.HasPrefix(t.PkgPath(), "go.opentelemetry.io/contrib/")
}

// defaults returns the defaults of a list's element, which its own Unmarshal sets.
func defaults(t reflect.Type, v reflect.Value) reflect.Value {
	if !ours(t) || !v.IsZero() || !reflect.PointerTo(t).Implements(unmarshaler) {
		return v
	}
	made := reflect.New(t)
	// The error may name a missing key: only the defaults matter here.
	_ = made.Interface().(confmap.Unmarshaler).Unmarshal(confmap.New())
	return made.Elem()
}

// fields describes the keys of a structure.
func (w *walker) fields(k *Key, t reflect.Type, v reflect.Value) {
	keys := map[string]string{}
	for field := range t.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get(confmap.MapstructureTag), ","); name != "" && name != "-" {
			keys[field.Name] = name
		}
	}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get(confmap.MapstructureTag), ",")
		switch {
		case !field.IsExported() || name == "-":
		case strings.Contains(options, "squash"):
			w.squash(k, field, v)
		case strings.Contains(options, "remain"):
			k.Open = true
		default:
			if name == "" {
				name = strings.ToLower(field.Name)
			}
			child := w.key(k.Path+"::"+name, name, field.Type, v.FieldByIndex(field.Index))
			if child.Rule.Hidden {
				continue
			}
			if child.Foreign = !ours(t); !child.Foreign && child.Kind == Quantity {
				child.Unit = ownUnit(child.Type, field, name)
			}
			comment, err := w.comments.of(t, field.Name)
			if err != nil && w.err == nil {
				w.err = err
			}
			child.Doc = cmp.Or(child.Rule.Doc, collectorDocs[t.String()][name], rewrite(comment, field.Name, keys))
			k.Keys = append(k.Keys, child)
		}
	}
}

// squash describes the keys of a structure that stand among those of the one around it.
func (w *walker) squash(k *Key, field reflect.StructField, v reflect.Value) {
	inner, t := v.FieldByIndex(field.Index), field.Type
	for t.Kind() == reflect.Pointer {
		if t = t.Elem(); inner.IsNil() {
			inner = reflect.New(t)
		}
		inner = inner.Elem()
	}
	if elem, ok := optional(t); ok {
		t, inner = elem, inside(inner)
	}
	w.fields(k, t, inner)
	k.Open = k.Open || !ours(t) && !ours(k.Type) && reflect.PointerTo(t).Implements(unmarshaler)
}

// optional returns the type within a configoptional.Optional.
func optional(t reflect.Type) (reflect.Type, bool) {
	if !strings.HasPrefix(t.Name(), "Optional[") {
		return nil, false
	}
	get, ok := reflect.PointerTo(t).MethodByName("GetOrInsertDefault")
	if !ok {
		return nil, false
	}
	return get.Type.Out(0).Elem(), true
}

// has reports whether an Optional is on by default.
func has(v reflect.Value) bool { return v.MethodByName("HasValue").Call(nil)[0].Bool() }

// inside returns the default of an Optional's value once it is written.
func inside(v reflect.Value) reflect.Value {
	if !v.IsValid() {
		return v
	}
	addressable := reflect.New(v.Type())
	addressable.Elem().Set(v)
	return addressable.MethodByName("GetOrInsertDefault").Call(nil)[0].Elem()
}

// written returns a value as YAML text, and whether it differs from the zero value.
func written(k *Key, v reflect.Value) (string, bool) {
	if !v.IsValid() {
		return "", false
	}
	set := !v.IsZero()
	switch k.Kind {
	case Quantity:
		return quantity(k.Unit, v), set
	case Integer:
		if v.CanInt() {
			return strconv.FormatInt(v.Int(), 10), set
		}
		return strconv.FormatUint(v.Uint(), 10), set
	case String, Bool, Number:
		return fmt.Sprint(v.Interface()), set
	case List:
		if v.Len() == 0 || k.Elem.Kind == Object || k.Elem.Kind == PolicyKind {
			return "", false
		}
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = fmt.Sprint(v.Index(i).Interface())
		}
		return "[" + strings.Join(texts, ", ") + "]", true
	default:
		return "", false
	}
}

// quantity writes a duration or a number of bytes in the units that the house writes.
func quantity(u *Unit, v reflect.Value) string {
	n := v.Int()
	if !u.Bytes {
		if n == 0 {
			return "0"
		}
		return slo.FormatDuration(time.Duration(n))
	}
	for i, name := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if size := int64(1) << (40 - 10*i); n != 0 && n%size == 0 {
			return fmt.Sprintf("%d%s", n/size, name)
		}
	}
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%dB", n)
}
