package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// node is a part of a JSON Schema.
type node map[string]any

const (
	// draft is the JSON Schema draft that editors support best.
	draft = "http://json-schema.org/draft-07/schema#"
	// expansion matches a text that the Collector replaces, such as ${env:NAME}. It is valid in place of any value.
	expansion = `\$\{`
)

// JSON returns the JSON Schema of a configuration.
func (r *Reference) JSON() ([]byte, error) {
	defs := node{"ids": node{"type": "array", "items": node{"type": "string"}}}
	for _, c := range r.Components {
		defs[string(c.Section)+"."+c.Type] = schemaOf(c.Keys)
	}
	defs["policy"] = r.policy(true)
	defs["sub_policy"] = r.policy(false)
	defs["pipeline"] = object(node{"receivers": ref("ids"), "processors": ref("ids"), "exporters": ref("ids")})
	defs["service"] = object(node{
		"extensions": ref("ids"),
		"pipelines": node{
			"type": "object", "additionalProperties": false,
			"patternProperties": node{`^(traces|metrics|logs|profiles)(/.+)?$`: ref("pipeline")},
		},
		"telemetry": schemaOf(r.Telemetry),
	})
	properties := node{"service": ref("service")}
	for _, section := range allSections {
		properties[string(section)] = r.section(section)
	}
	schema := object(properties)
	schema["$schema"], schema["title"] = draft, "Configuration of slowburn"
	share(schema, defs)
	return lines(schema, defs)
}

// lines writes a schema with a line for each definition.
func lines(schema, defs node) ([]byte, error) {
	var b bytes.Buffer
	line := func(before, key string, value any, after string) error {
		text, err := json.Marshal(value)
		fmt.Fprintf(&b, "%s%q: %s%s\n", before, key, text, after)
		return err
	}
	b.WriteString("{\n")
	for _, key := range slices.Sorted(maps.Keys(schema)) {
		if err := line(" ", key, schema[key], ","); err != nil {
			return nil, err
		}
	}
	b.WriteString(" \"definitions\": {\n")
	names := slices.Sorted(maps.Keys(defs))
	for i, name := range names {
		after := ","
		if i == len(names)-1 {
			after = ""
		}
		if err := line("  ", name, defs[name], after); err != nil {
			return nil, err
		}
	}
	b.WriteString(" }\n}\n")
	return b.Bytes(), nil
}

// section describes the components of one kind, by ID.
func (r *Reference) section(section Section) node {
	properties, patterns := node{}, node{}
	for _, c := range r.Components {
		if c.Section == section {
			properties[c.Type] = ref(string(section) + "." + c.Type)
			patterns["^"+regexp.QuoteMeta(c.Type)+"/.+$"] = ref(string(section) + "." + c.Type)
		}
	}
	s := object(properties)
	s["patternProperties"] = patterns
	return s
}

// policy describes a policy: one of the list, or a sub-policy.
func (r *Reference) policy(outer bool) node {
	properties := node{"name": node{"type": "string", "description": "What kept spans and metrics call the policy."}}
	var types []any
	var sections []any
	for _, p := range r.Policies {
		types = append(types, p.Name)
		then := node{"required": []any{p.Name}}
		if p.Type == nil {
			continue
		}
		properties[p.Name] = schemaOf(p)
		sections = append(sections, node{"if": node{"properties": node{"type": node{"const": p.Name}}}, "then": then})
	}
	properties["type"] = oneOf(types)
	s := object(properties)
	s["required"] = []any{"type"}
	if outer {
		s["required"] = []any{"name", "type"}
	}
	s["allOf"] = sections
	return s
}

// object returns the schema of an object with these keys and no others, or null, or a text that the Collector replaces.
func object(properties node) node {
	return node{"type": []any{"object", "string", "null"}, "pattern": expansion, "properties": properties, "additionalProperties": false}
}

// oneOf returns the schema of one of these texts, or of a text that the Collector replaces.
func oneOf[T any](values []T) node {
	return node{"anyOf": []any{node{"enum": values}, node{"type": "string", "pattern": expansion}}}
}

func ref(name string) node { return node{"$ref": "#/definitions/" + name} }

// schemaOf describes a key and what is below it.
func schemaOf(k *Key) node {
	s := k.value()
	if k.Doc != "" {
		s["description"] = k.Doc
	}
	if valid := k.Valid(); valid != "" {
		s["description"] = strings.TrimSpace(k.Doc + " Valid: " + valid + ".")
	}
	if value, ok := k.defaultValue(); ok {
		s["default"] = value
	}
	return s
}

// value describes the value of a key.
func (k *Key) value() node {
	if len(k.Rule.OneOf) > 0 && k.Kind == String {
		return oneOf(k.Rule.OneOf)
	}
	if k.Rule.Pattern != "" {
		text := node{"type": []any{"string", "null"}, "pattern": k.Rule.Pattern + "|" + expansion}
		return node{"anyOf": []any{text, node{"type": "array", "items": text}}}
	}
	switch k.Kind {
	case Object:
		properties := node{}
		var required []any
		for _, child := range k.Keys {
			properties[child.Name] = schemaOf(child)
			if child.Rule.Required {
				required = append(required, child.Name)
			}
		}
		s := object(properties)
		if k.Open {
			delete(s, "additionalProperties")
		}
		if len(required) > 0 {
			s["required"] = required
		}
		s["$comment"] = k.Type.String()
		return s
	case List:
		items := schemaOf(k.Elem)
		if k.Elem.Kind == Object && !ours(k.Elem.Type) { // contrib reads some of them from a string too, as trace_conditions of filter
			delete(items, "pattern")
		}
		s := node{"type": []any{"array", "string", "null"}, "pattern": expansion, "items": items}
		if k.Open {
			s["type"] = []any{"array", "object", "string", "null"}
		}
		return s
	case Map:
		return node{"type": []any{"object", "string", "null"}, "pattern": expansion, "additionalProperties": schemaOf(k.Elem)}
	case String:
		return node{"type": []any{"string", "null"}}
	case Bool:
		return node{"type": []any{"boolean", "string", "null"}, "pattern": expansion}
	case Integer, Number:
		s := node{"type": []any{strings.ToLower(k.Kind.String()), "string", "null"}, "pattern": expansion}
		k.bound(s)
		return s
	case Quantity:
		s := node{"type": []any{"string", "integer", "null"}, "pattern": k.Unit.Pattern() + "|" + expansion}
		if k.Unit.Bytes {
			s["minimum"] = 0
		}
		if !k.Unit.Bare {
			s["minimum"], s["maximum"] = 0, 0 // only a zero needs no unit
		}
		return s
	case PolicyKind:
		if strings.HasSuffix(k.Path, "policies[]") {
			return ref("policy")
		}
		return ref("sub_policy")
	case SampleKind:
		return node{"anyOf": []any{
			node{"type": "number", "minimum": 0, "maximum": 100}, node{"enum": []any{"always", "never"}}, ref("sub_policy"),
			node{"type": "string", "pattern": expansion},
		}}
	default:
		return node{}
	}
}

// bound adds the bounds of a number.
func (k *Key) bound(s node) {
	if n, err := strconv.ParseFloat(k.Rule.Min, 64); err == nil {
		if k.Rule.Zero != "" {
			n = min(n, 0)
		}
		s["minimum"] = n
	}
	if n, err := strconv.ParseFloat(k.Rule.Max, 64); err == nil {
		s["maximum"] = n
	}
}

// defaultValue returns the default as a JSON value.
func (k *Key) defaultValue() (any, bool) {
	if k.Rule.Default != "" || k.Default == "" {
		return nil, false
	}
	switch k.Kind {
	case Bool:
		return k.Default == "true", true
	case Integer, Number:
		return json.Number(k.Default), true
	case String, Quantity:
		return k.Default, k.Set || k.Kind == Quantity
	default:
		return nil, false
	}
}
