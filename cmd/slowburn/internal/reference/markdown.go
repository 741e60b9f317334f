package reference

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Valid describes the valid values in words; empty if any value of the kind is valid.
func (k *Key) Valid() string {
	r := k.Rule
	var parts []string
	switch {
	case r.Text != "":
		parts = append(parts, r.Text)
	case len(r.OneOf) == 1:
		parts = append(parts, r.OneOf[0])
	case len(r.OneOf) > 0:
		parts = append(parts, "one of "+strings.Join(r.OneOf, ", "))
	case r.Min != "" && r.Max != "":
		parts = append(parts, r.Min+" to "+r.Max)
	case r.Min == "0" && r.Zero != "":
	case r.Min != "":
		parts = append(parts, "at least "+r.Min)
	case r.Max != "":
		parts = append(parts, "at most "+r.Max)
	}
	if r.Zero != "" {
		parts = append(parts, "0: "+r.Zero)
	}
	return strings.Join(parts, "; ")
}

// typeName returns the name of a value's type for people.
func (k *Key) typeName() string {
	switch k.Kind {
	case Quantity:
		if k.Unit.Bytes {
			return "bytes"
		}
		return "duration"
	case List:
		if k.Open {
			return "map, or list of " + plural(k.Elem.typeName())
		}
		return "list of " + plural(k.Elem.typeName())
	case Map:
		return "map to " + k.Elem.typeName()
	case Object:
		if k.Optional {
			return "object, off unless written"
		}
	}
	return k.Kind.String()
}

func plural(name string) string {
	name, rest, _ := strings.Cut(name, ",")
	switch {
	case name == "bytes", name == "any":
		return name
	case strings.HasSuffix(name, "y"):
		return strings.TrimSuffix(name, "y") + "ies" + rest
	}
	return name + "s"
}

// page writes Markdown.
type page struct {
	strings.Builder
	foreign []*Key // structures of the Collector that keys refer to
}

// header is the beginning of the page. The contents and the words for durations and bytes are filled in. service describes what no
// component reads.
var (
	//go:embed header.tmpl
	header string
	//go:embed service.tmpl
	service string
)

// Markdown returns the page docs/reference/config.md.
func (r *Reference) Markdown() []byte {
	var p page
	duration, size := r.unit(false), r.unit(true)
	fmt.Fprintf(&p, header, r.contents(), "A duration is a number with a unit, such as `30s`: "+duration.words()+".",
		"A number of bytes has a unit too, such as `512MiB`: "+size.words()+".")
	for _, c := range r.Components {
		if !ours(c.Keys.Type) {
			continue
		}
		fmt.Fprintf(&p, "## %s\n\n", c.heading())
		if c.AliasOf != "" {
			fmt.Fprintf(&p, "An older name of [`%s`](#%s), with its keys.\n\n", c.AliasOf, anchor(string(c.Section)+"::"+c.AliasOf))
			continue
		}
		p.table(c.Keys, c.heading()+"::")
	}
	p.policies(r.Policies)
	p.WriteString(service)
	p.collector(r)
	return []byte(p.String())
}

// contents lists the headings of the page, with links.
func (r *Reference) contents() string {
	var links []string
	add := func(heading string) { links = append(links, fmt.Sprintf("[%s](#%s)", heading, anchor(heading))) }
	for _, c := range r.Components {
		if ours(c.Keys.Type) && c.AliasOf == "" {
			add(c.heading())
		}
	}
	for _, heading := range []string{"Policies", "service", "Keys of the Collector", "Components of the Collector"} {
		add(heading)
	}
	return strings.Join(links, " · ")
}

func (c *Component) heading() string { return string(c.Section) + "::" + c.Type }

// unit returns the Unit of the module's own durations or numbers of bytes, one that refuses a number without a unit if there is one.
func (r *Reference) unit(bytes bool) *Unit {
	var least *Unit
	for _, c := range r.Components {
		c.Keys.All(func(k *Key) {
			if k.Unit != nil && !k.Foreign && k.Unit.Bytes == bytes && (least == nil || least.Bare && !k.Unit.Bare) {
				least = k.Unit
			}
		})
	}
	return least
}

// words lists the units, and describes what else can be written.
func (u *Unit) words() string {
	text := strings.Join(u.Names, ", ")
	if u.Bytes {
		text += " (1KiB is 1024 bytes, 1KB is 1000)"
	} else {
		text += ". Several can follow each other, as in `1h30m`"
	}
	if u.Fraction {
		text += ". The number can have a fraction"
	}
	if !u.Bare {
		text += ". Only 0 needs no unit"
	}
	return text
}

// table writes the keys of an object, and of what is within it.
func (p *page) table(k *Key, within string) {
	if k.Doc != "" {
		p.WriteString(k.Doc + "\n\n")
	}
	p.WriteString("| key | type | default | valid | |\n|---|---|---|---|---|\n")
	p.rows(k, within)
	p.WriteString("\n")
}

func (p *page) rows(k *Key, within string) {
	for _, child := range k.Keys {
		p.row(child, within)
		p.inner(child, within)
	}
}

// inner writes the rows of what is within a key.
func (p *page) inner(k *Key, within string) {
	for k.Kind == List || k.Kind == Map {
		k = k.Elem
	}
	switch {
	case k.Kind != Object:
	case ours(k.Type):
		p.rows(k, within)
	default:
		p.refer(k)
	}
}

func (p *page) refer(k *Key) {
	if !slices.ContainsFunc(p.foreign, func(other *Key) bool { return other.Type == k.Type }) {
		p.foreign = append(p.foreign, k)
	}
}

func (p *page) row(k *Key, within string) {
	of, typ := k, k.typeName()
	for of.Kind == List || of.Kind == Map {
		of = of.Elem
	}
	if of.Kind == Object && !ours(of.Type) {
		typ = fmt.Sprintf("[%s](#%s)", typ, anchor(of.Type.String()))
	}
	fmt.Fprintf(p, "| `%s` | %s | %s | %s | %s |\n", strings.TrimPrefix(k.Path, within), typ, escape(k.defaultText()), escape(k.Valid()), escape(k.Doc))
}

// defaultText describes the default: a value as it is written, or words. It is empty where there is none; also where 0 means that the key
// is not written, and is not valid.
func (k *Key) defaultText() string {
	switch {
	case k.Rule.Default != "" && !k.literal():
		return k.Default
	case k.Rule.Required:
		return "required"
	case k.Default == "" || k.Kind == String && !k.Set:
		return ""
	case k.Default == "0" && strings.HasPrefix(k.Rule.Text, "above 0"):
		return ""
	}
	return "`" + k.Default + "`"
}

// literal reports whether the default that the rule describes is a value rather than words.
func (k *Key) literal() bool {
	_, err := strconv.ParseFloat(k.Rule.Default, 64)
	return err == nil || strings.HasPrefix(k.Rule.Default, "[") || slices.Contains(k.Rule.OneOf, k.Rule.Default)
}

func escape(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// anchor returns the fragment of a heading's link.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, heading)
}

// policies writes the keys of all types of policies.
func (p *page) policies(types []*Key) {
	p.WriteString("## Policies\n\nA policy has `name`, `type` and, unless its type has none, a section that is named as its type. " +
		"[Policies](policies.md) says when each keeps a trace.\n\n| key | type | default | valid | |\n|---|---|---|---|---|\n" +
		"| `name` | string | required | not empty, no two with one name; sub-policies need none | What kept spans and metrics call the policy. |\n" +
		"| `type` | string | required | one of those that the keys below begin with | When the policy keeps a trace. |\n")
	for _, k := range types {
		if k.Type == nil {
			fmt.Fprintf(p, "| `%s` | no section | | | |\n", k.Name)
			continue
		}
		p.rows(k, policyPath)
	}
	p.WriteString("\n")
}

// collector writes the Collector's structures that our keys have, with the structures within them.
func (p *page) collector(r *Reference) {
	p.WriteString("## Keys of the Collector\n\n")
	for i := 0; i < len(p.foreign); i++ {
		k := p.foreign[i]
		name := k.Type.String()
		fmt.Fprintf(p, "### %s\n\n[What the Collector says of them](https://pkg.go.dev/%s#%s).\n\n| key | type | default | |\n|---|---|---|---|\n", name, k.Type.PkgPath(), k.Type.Name())
		p.collectorRows(k, k.Path+"::")
		p.WriteString("\n")
	}
	p.WriteString("### Components of the Collector\n\nThey have the keys that their own documentation lists, and `slowburn schema` knows them.\n\n")
	for _, c := range r.Components {
		if !ours(c.Keys.Type) {
			fmt.Fprintf(p, "- [%s::%s](https://pkg.go.dev/%s)\n", c.Section, c.Type, c.Keys.Type.PkgPath())
		}
	}
}

func (p *page) collectorRows(k *Key, within string) {
	for _, child := range k.Keys {
		of, typ := child, child.typeName()
		for of.Kind == List || of.Kind == Map {
			of = of.Elem
		}
		if of.Kind == Object {
			typ = fmt.Sprintf("[%s](#%s)", typ, anchor(of.Type.String()))
			p.refer(of)
		}
		fmt.Fprintf(p, "| `%s` | %s | %s | %s |\n", strings.TrimPrefix(child.Path, within), typ, escape(child.defaultText()), escape(child.Doc))
	}
}
