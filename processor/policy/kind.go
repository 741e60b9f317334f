package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// kind is a type of policy: a line of the table.
type kind struct {
	name Type
	form
	traits rule.Traits
	// refuses are traits that no sub-policy of this type can have.
	refuses rule.Traits
}

// form says how a type is written and compiled.
type form struct {
	// section returns a pointer to a zero section. It is nil for a type without one.
	section func() any
	// compile validates a section and makes a policy of it. Errors begin with the section's own key.
	compile func(c *compiler, k *kind, section any) (rule.Node, error)
	// subs returns the sub-policies of a section. It is nil for a type without any.
	subs func(section any) []sub
}

// compiler holds the state of a compilation.
type compiler struct {
	types      kinds
	contrib    bool
	questions  *ask.Builder
	conditions *conditions.Builder
}

// keys lists the keys that a policy of the type has.
func (k *kind) keys() string {
	if k.section == nil {
		return "name and type"
	}
	return "name, type and " + string(k.name)
}

// fits reports whether a section is one of the type.
func (k *kind) fits(section any) bool {
	if k.section == nil {
		return section == nil
	}
	return reflect.TypeOf(section) == reflect.TypeOf(k.section())
}

// misfit returns the error for a section that does not fit.
func (k *kind) misfit() error {
	if k.section == nil {
		return fmt.Errorf("a policy of type %s has %s only; remove the section", k.name, k.keys())
	}
	return fmt.Errorf("%s: is required by the type", k.name)
}

// bare returns the form of a type without a section.
func bare(compile func(*ask.Builder) rule.Node) form {
	return form{compile: func(c *compiler, _ *kind, _ any) (rule.Node, error) { return compile(c.questions), nil }}
}

// sectioned returns the form of a type whose section only asks questions about spans.
func sectioned[S any, P interface {
	*S
	Compile(b *ask.Builder) (rule.Node, error)
}]() form {
	return compiledBy(func(c *compiler, section *S) (rule.Node, error) { return P(section).Compile(c.questions) })
}

// compiledBy returns the form of a type whose sections a function compiles.
func compiledBy[S any](compile func(c *compiler, section *S) (rule.Node, error)) form {
	return form{
		section: func() any { return new(S) },
		compile: func(c *compiler, _ *kind, section any) (rule.Node, error) { return compile(c, section.(*S)) },
	}
}

// group returns the form of a type with sub-policies.
func group[S any, P interface {
	*S
	compile(c *compiler, k *kind) (rule.Node, error)
	subs() []sub
}]() form {
	return form{
		section: func() any { return new(S) },
		compile: func(c *compiler, k *kind, section any) (rule.Node, error) { return section.(P).compile(c, k) },
		subs:    func(section any) []sub { return section.(P).subs() },
	}
}

// kinds maps names to types.
type kinds map[Type]*kind

func kindsOf(lines []kind) kinds {
	k := kinds{}
	for i := range lines {
		k[lines[i].name] = &lines[i]
	}
	return k
}

// names returns the sorted names of the types that have one of the traits, or, without have, of those that
// have none of them.
func (k kinds) names(traits rule.Traits, have bool) (names []string) {
	for name, one := range k {
		if (one.traits&traits != 0) == have {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names
}

// either formats a list of alternatives.
func either(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
