package differential

import (
	"fmt"
	"math/rand/v2"
)

// policy is one entry of policies, as it stands in a configuration.
type policy = map[string]any

// named gives the policies names.
func named(policies ...policy) []any {
	list := make([]any, len(policies))
	for i, p := range policies {
		list[i] = with(p, policy{"name": fmt.Sprintf("p%d", i)})
	}
	return list
}

func leaf(kind string, section map[string]any) policy {
	p := policy{"type": kind}
	if section != nil {
		p[kind] = section
	}
	return p
}

// everyType has each type of policy that contrib has, alone, in the ways that it can be set up. Those that limit a rate
// are compared by themselves.
func everyType() map[string]policy {
	status := leaf("status_code", map[string]any{"status_codes": []any{"ERROR"}})
	slow := leaf("latency", map[string]any{"threshold_ms": 50})
	x := leaf("string_attribute", map[string]any{"key": "a", "values": []any{"x"}})
	return map[string]policy{
		"always_sample":                     leaf("always_sample", nil),
		"trace_flags":                       leaf("trace_flags", nil),
		"latency":                           slow,
		"latency, both ends":                leaf("latency", map[string]any{"threshold_ms": 20, "upper_threshold_ms": 70}),
		"status_code":                       status,
		"status_code, two":                  leaf("status_code", map[string]any{"status_codes": []any{"OK", "UNSET"}}),
		"string_attribute":                  leaf("string_attribute", map[string]any{"key": "a", "values": []any{"x", "y"}}),
		"string_attribute, regex":           leaf("string_attribute", map[string]any{"key": "b", "values": []any{"^h.*d$", "y"}, "enabled_regex_matching": true, "cache_max_size": 10}),
		"string_attribute, inverted":        leaf("string_attribute", map[string]any{"key": "a", "values": []any{"x"}, "invert_match": true}),
		"string_attribute, regex, inverted": leaf("string_attribute", map[string]any{"key": "a", "values": []any{".*l+o"}, "enabled_regex_matching": true, "invert_match": true}),
		"string_attribute of a resource":    leaf("string_attribute", map[string]any{"key": "service.name", "values": []any{"payment"}}),
		"numeric_attribute":                 leaf("numeric_attribute", map[string]any{"key": "a", "min_value": 3, "max_value": 5}),
		"numeric_attribute, lower":          leaf("numeric_attribute", map[string]any{"key": "b", "min_value": 4}),
		"numeric_attribute, upper":          leaf("numeric_attribute", map[string]any{"key": "c", "max_value": 1}),
		"numeric_attribute, from zero":      leaf("numeric_attribute", map[string]any{"key": "c", "min_value": 0, "max_value": 3}),
		"numeric_attribute, inverted":       leaf("numeric_attribute", map[string]any{"key": "a", "min_value": 1, "max_value": 9, "invert_match": true}),
		"boolean_attribute":                 leaf("boolean_attribute", map[string]any{"key": "a", "value": true}),
		"boolean_attribute, false":          leaf("boolean_attribute", map[string]any{"key": "a", "value": false}),
		"boolean_attribute, inverted":       leaf("boolean_attribute", map[string]any{"key": "b", "value": true, "invert_match": true}),
		"trace_state":                       leaf("trace_state", map[string]any{"key": "vendor", "values": []any{"blue"}}),
		"probabilistic":                     leaf("probabilistic", map[string]any{"sampling_percentage": 30}),
		"probabilistic, salted":             leaf("probabilistic", map[string]any{"sampling_percentage": 55.5, "hash_salt": "pepper"}),
		"span_count":                        leaf("span_count", map[string]any{"min_spans": 3}),
		"span_count, both ends":             leaf("span_count", map[string]any{"min_spans": 2, "max_spans": 5}),
		"ottl_condition":                    leaf("ottl_condition", map[string]any{"error_mode": "ignore", "span": []any{`attributes["a"] == "x" and kind == SPAN_KIND_SERVER`, `status.code == STATUS_CODE_OK`}}),
		"ottl_condition on events":          leaf("ottl_condition", map[string]any{"error_mode": "ignore", "spanevent": []any{`name == "exception" and attributes["b"] != nil`}}),
		"and":                               leaf("and", map[string]any{"and_sub_policy": named(slow, status)}),
		"and with not":                      leaf("and", map[string]any{"and_sub_policy": named(slow, leaf("not", map[string]any{"not_sub_policy": with(status, policy{"name": "inner"})}))}),
		"and with a chance":                 leaf("and", map[string]any{"and_sub_policy": named(slow, leaf("probabilistic", map[string]any{"sampling_percentage": 40}))}),
		"not":                               leaf("not", map[string]any{"not_sub_policy": with(x, policy{"name": "inner"})}),
		"not with a chance":                 leaf("not", map[string]any{"not_sub_policy": with(leaf("probabilistic", map[string]any{"sampling_percentage": 40}), policy{"name": "inner"})}),
	}
}

// tree makes a policy at random, of the types that do not limit a rate.
func tree(rnd *rand.Rand, depth int) policy {
	if depth > 0 {
		switch rnd.IntN(5) {
		case 0, 1:
			subs := make([]policy, 1+rnd.IntN(3))
			for i := range subs {
				if subs[i] = randomLeaf(rnd); rnd.IntN(4) == 0 {
					subs[i] = leaf("not", map[string]any{"not_sub_policy": with(randomLeaf(rnd), policy{"name": "inner"})})
				}
			}
			return leaf("and", map[string]any{"and_sub_policy": named(subs...)})
		case 2:
			return leaf("not", map[string]any{"not_sub_policy": with(randomLeaf(rnd), policy{"name": "inner"})})
		}
	}
	return randomLeaf(rnd)
}

func randomLeaf(rnd *rand.Rand) policy {
	low := rnd.IntN(6) - 1
	switch rnd.IntN(11) {
	case 0:
		return leaf("latency", map[string]any{"threshold_ms": 10 + rnd.IntN(80)})
	case 1:
		return leaf("latency", map[string]any{"threshold_ms": 10 + rnd.IntN(30), "upper_threshold_ms": 50 + rnd.IntN(60)})
	case 2:
		return leaf("status_code", map[string]any{"status_codes": []any{pick(rnd, "OK", "ERROR", "UNSET")}})
	case 3:
		return leaf("string_attribute", map[string]any{
			"key": pick(rnd, keys...), "values": []any{pick(rnd, "x", "y", "true", "hello world")},
			"enabled_regex_matching": rnd.IntN(2) == 0, "invert_match": rnd.IntN(3) == 0,
		})
	case 4:
		return leaf("numeric_attribute", map[string]any{
			"key": pick(rnd, keys...), "min_value": low, "max_value": low + 1 + rnd.IntN(4), "invert_match": rnd.IntN(3) == 0,
		})
	case 5:
		return leaf("boolean_attribute", map[string]any{
			"key": pick(rnd, keys...), "value": rnd.IntN(2) == 0, "invert_match": rnd.IntN(3) == 0,
		})
	case 6:
		return leaf("probabilistic", map[string]any{"sampling_percentage": rnd.IntN(101), "hash_salt": pick(rnd, "", "pepper")})
	case 7:
		return leaf("span_count", map[string]any{"min_spans": 1 + rnd.IntN(3), "max_spans": pick(rnd, 0, 4, 6)})
	case 8:
		return leaf("trace_state", map[string]any{"key": pick(rnd, "vendor", "other"), "values": []any{pick(rnd, "blue", "green", "1")}})
	case 9:
		return leaf("trace_flags", nil)
	default:
		return leaf("ottl_condition", map[string]any{"error_mode": "ignore", "span": []any{pick(rnd,
			`attributes["a"] == "x"`, `attributes["b"] > 3`, `name == "SELECT"`, `kind == SPAN_KIND_CLIENT`,
			`resource.attributes["service.name"] == "cart"`, `IsMatch(name, "^POST")`, `end_time_unix_nano - start_time_unix_nano > 50000000`,
		)}})
	}
}

// randomSet is a few policies at random, with a drop policy now and then.
func randomSet(rnd *rand.Rand) []any {
	policies := make([]policy, 1+rnd.IntN(4))
	for i := range policies {
		policies[i] = tree(rnd, 1)
	}
	if rnd.IntN(3) == 0 {
		policies = append(policies, leaf("drop", map[string]any{"drop_sub_policy": named(randomLeaf(rnd), randomLeaf(rnd))}))
	}
	return named(policies...)
}
