package reference

import "strings"

// ruleSet are rules by what follows the common beginning of their paths; "" is that of the whole.
type ruleSet map[string]Rule

// Rule describes what a key's Go type does not. Values are written as in YAML.
type Rule struct {
	// Min and Max are the least and the greatest value.
	Min, Max string
	// Zero says what 0 stands for where it is valid. It may be below Min.
	Zero string
	// OneOf are the only valid values.
	OneOf []string
	// Pattern is the form of a text, for a key that takes a text or a list of texts.
	Pattern string
	// Required keys have no default.
	Required bool
	// Text describes the valid values in words, where the other fields cannot.
	Text string
	// Default describes a default that depends on the machine or on other keys.
	Default string
	// Doc replaces the comment on the field.
	Doc string
	// Hidden keys are not written by people.
	Hidden bool
}

// ruleSets are the rules of this module's keys, by what their paths begin with.
var ruleSets = map[string]ruleSet{
	"receivers::otlp":           otlpRules,
	"receivers::slo_metrics":    sloMetricsRules,
	"processors::tail_sampling": samplerRules,
	"processors::reconstruct":   reconstructRules,
	"connectors::sli":           sliRules,
	"exporters::otlp_grpc":      exportRules,
	"exporters::otlp_http":      exportRules,
	"exporters::trace_store":    storeRules,
	"exporters::tsdb":           exporterRules,
	"extensions::tsdb":          tsdbRules,
	"extensions::slo":           sloRules,
	"extensions::web":           webRules,
	policyPath:                  policyRules,
}

// rules are all of them, by path.
var rules = joined(ruleSets)

func joined(sets map[string]ruleSet) map[string]Rule {
	all := map[string]Rule{}
	for beginning, set := range sets {
		for rest, rule := range set {
			all[beginning+rest] = rule
		}
	}
	return all
}

// ruleOf returns the rule of a path. A shadow's rules are those of the real policies.
func ruleOf(path string) Rule {
	return rules[strings.Replace(path, "::shadow::rules[]", "::rules[]", 1)]
}
