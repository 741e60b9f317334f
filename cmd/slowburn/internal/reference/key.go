package reference

import (
	"reflect"
	"strings"
)

// Kind says how the value of a key is written.
type Kind int

// The kinds of values.
const (
	Any Kind = iota
	Object
	List
	Map
	String
	Bool
	Integer
	Number
	// Quantity is a text with a unit: a duration or a number of bytes.
	Quantity
	// PolicyKind and SampleKind are written as a policy, and as the sample of a rule.
	PolicyKind
	SampleKind
)

var kindNames = [...]string{"any", "object", "list", "map", "string", "boolean", "integer", "number", "quantity", "policy", "sample"}

// String returns the name of the kind for people.
func (k Kind) String() string { return kindNames[k] }

// Key is a node of the tree of keys.
type Key struct {
	// Name is the key, empty for the elements of a list or map.
	Name string
	// Path leads to the key from the top, such as processors::tail_sampling::policies[]::name. Names of components stand for any ID
	// of their type.
	Path string
	Kind Kind
	// Type is the Go type of the value, without pointers and Optional.
	Type reflect.Type
	// Default is the value where the key is not written, as it would be written; empty where there is none.
	Default string
	// Set reports whether the default differs from the zero value of the type.
	Set bool
	// Unit describes a Quantity, and is nil otherwise.
	Unit *Unit
	// Doc is the comment on the field, with keys in place of the names of fields, or our own sentence.
	Doc string
	// Rule describes the valid values.
	Rule Rule
	// Optional sections are off where they are not written.
	Optional bool
	// Open objects may have other keys than Keys, and open lists may be written as a map, such as one of headers.
	Open bool
	// Foreign keys are declared outside of this module.
	Foreign bool
	// Keys are those of an Object, in the order of the Go fields.
	Keys []*Key
	// Elem describes the elements of a List or Map.
	Elem *Key
}

// Section is the kind of a component, as the top-level keys of a configuration name it.
type Section string

// The sections, in the order in which the page has them.
const (
	Receivers  Section = "receivers"
	Processors Section = "processors"
	Connectors Section = "connectors"
	Exporters  Section = "exporters"
	Extensions Section = "extensions"
)

// allSections are all sections, in that order.
var allSections = []Section{Receivers, Processors, Connectors, Exporters, Extensions}

// Component is a type of components with its keys.
type Component struct {
	Section Section
	Type    string
	// AliasOf is the type's newer name; empty if this is no alias.
	AliasOf string
	Keys    *Key
}

// Reference describes all that a configuration may hold.
type Reference struct {
	Components []Component
	// Policies are the sections of the types of policies, in the order of their table. Those without a section have no Keys.
	Policies []*Key
	// Telemetry is service::telemetry.
	Telemetry *Key
}

// module is the path of this module's packages.
const module = "github.com/slowburn/slowburn/"

func ours(t reflect.Type) bool { return strings.HasPrefix(t.PkgPath(), module) }
