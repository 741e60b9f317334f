package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// policySets are the policies of --suite policies, the small set first. Both keep the same traces: the difference in cost is the
// evaluation of the policies.
var policySets = []struct{ name, config string }{
	{"2 policies", "configs/policies-2.yaml"},
	{"20 policies", "configs/policies-20.yaml"},
}

// withPolicies returns each target with each of the policy sets. All get the same YAML.
func withPolicies(chosen []target) (list []target, err error) {
	for _, t := range chosen {
		if !t.samples {
			return nil, fmt.Errorf("--only: %s has no policies, so it has no place in --suite policies", t.name)
		}
		for _, set := range policySets {
			with := t
			with.name = t.name + ", " + set.name
			with.configs = append(slices.Clone(t.configs), set.config)
			list = append(list, with)
		}
	}
	return list, nil
}

// policyTable prints the difference in cost between the large and the small set, from the rows of measureAll for withPolicies.
func policyTable(out io.Writer, rows []row, reference string) {
	cpu := func(r row) (mid, spread float64) { return r.of(func(x result) float64 { return x.CPUPerSpan }) }
	var base []row
	for pair := range slices.Chunk(rows, len(policySets)) {
		if policyTarget(pair[0]) == reference {
			base = pair
		}
	}
	fmt.Fprintf(out, "\n### What policies cost: %s\n\n", rows[0].Scenario)
	fmt.Fprintln(out, "| target | CPU µs/span, 2 policies | 20 policies | more | more, % | ratio, 2 policies | ratio, 20 policies | ratio, more |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|")
	for pair := range slices.Chunk(rows, len(policySets)) {
		few, fewSpread := cpu(pair[0])
		many, manySpread := cpu(pair[1])
		ratios := "– | – | –"
		if base != nil {
			baseFew, _ := cpu(base[0])
			baseMany, _ := cpu(base[1])
			ratios = fmt.Sprintf("%.3f | %.3f | %.3f", few/baseFew, many/baseMany, (many-few)/(baseMany-baseFew))
		}
		fmt.Fprintf(out, "| %s | %.2f ± %.2f | %.2f ± %.2f | %.2f | %.0f %% | %s |\n",
			policyTarget(pair[0]), few, fewSpread, many, manySpread, many-few, 100*(many-few)/few, ratios)
	}
}

// policyTarget is the name of the target without that of the policies.
func policyTarget(r row) string {
	name, _, _ := strings.Cut(r.Target, ", ")
	return name
}
