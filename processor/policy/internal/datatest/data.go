// Package datatest runs the data files of policies: spans in, decisions out.
package datatest

import (
	"encoding/hex"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
)

// Run runs files of blocks separated by empty lines. A block is YAML, "----" and the answer: for policies or rules, the result of
// Compile; for a trace, the decision of the policies above it. Lines before "----" may be comments.
func Run(t *testing.T, pattern string) {
	for _, file := range glob(t, pattern) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			var sets []*policy.Set
			blocks := strings.Split(strings.TrimSpace(string(content)), "\n\n")
			for i, block := range blocks {
				question, _, found := strings.Cut(block, "\n----")
				if !found {
					continue // a comment
				}
				answer := answerTo(t, &sets, question)
				blocks[i] = question + "\n----\n" + answer
				if !*policytest.Rewrite {
					require.Equal(t, blocks[i], block)
				}
			}
			if *policytest.Rewrite {
				require.NoError(t, os.WriteFile(file, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644))
			}
		})
	}
}

func glob(t *testing.T, pattern string) []string {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// types matches the list of types in an error. Files leave it out, so that a new type does not change them.
var types = regexp.MustCompile(`(supported (?:there|types): )[a-z_, ]+`)

// RunBad runs files named .bad.yaml, each a value of tail_sampling::policies or ::rules, and compares the error with the file
// beside it.
func RunBad(t *testing.T, pattern string) {
	for _, file := range glob(t, pattern) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			got := types.ReplaceAllString(compileError(t, string(content)), "$1<types>") + "\n"
			errorFile := strings.TrimSuffix(file, ".yaml") + ".error"
			if *policytest.Rewrite {
				require.NoError(t, os.WriteFile(errorFile, []byte(got), 0o644))
			}
			want, err := os.ReadFile(errorFile)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func compileError(t *testing.T, policies string) string {
	var block Block
	if err := Decode(t, policies, &block); err != nil {
		return err.Error()
	}
	_, err := block.compile()
	require.Error(t, err)
	return err.Error()
}

// compile makes a set of the policies, or of the rules.
func (b *Block) compile() (*policy.Set, error) {
	options := policy.Options{Contrib: b.Compat == "contrib", FirstMatch: b.FirstMatch}
	if b.Rules != nil {
		return policy.CompileRules(b.Rules, options)
	}
	return policy.Compile(b.Policies, options)
}

// Block is a question of a data file.
type Block struct {
	Policies   []policy.Config     `mapstructure:"policies"`
	Rules      []policy.RuleConfig `mapstructure:"rules"`
	Compat     string              `mapstructure:"compat"`
	FirstMatch bool                `mapstructure:"sample_on_first_match"`
	InOrder    bool                `mapstructure:"in_order"` // the order of spans matters

	Trace string `mapstructure:"trace"`
	ID    string `mapstructure:"id"` // in hex
	// Randomness is written like th: missing digits are 0.
	Randomness string            `mapstructure:"randomness"`
	At         time.Duration     `mapstructure:"at"`     // time of the decision
	Repeat     int               `mapstructure:"repeat"` // number of such traces; the last one gives the answer
	Bytes      int               `mapstructure:"bytes"`
	Times      int               `mapstructure:"times"` // how often the trace has its spans
	Spans      []policytest.Span `mapstructure:"spans"`
}

// Decode reads YAML as the Collector does.
func Decode(t *testing.T, yaml string, into any) error {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf.Unmarshal(into)
}

// answerTo answers a question. It has a set for each way to show a trace, as sets may remember earlier
// traces.
func answerTo(t *testing.T, sets *[]*policy.Set, question string) string {
	var block Block
	require.NoError(t, Decode(t, question, &block), question)
	if block.Policies != nil || block.Rules != nil {
		*sets = nil
		for range len(policytest.Ways) + 1 {
			if block.InOrder && len(*sets) == 1 {
				break
			}
			compiled, err := block.compile()
			require.NoError(t, err, question)
			*sets = append(*sets, compiled)
		}
		return strings.Join(append([]string{"ok"}, (*sets)[0].Warnings()...), "\n")
	}
	require.NotEmpty(t, *sets, "policies must come before traces")
	trace := policy.Trace{
		Randomness: tracestate.Parse("ot=th:" + block.Randomness).Threshold, Now: int64(block.At), Bytes: block.Bytes,
	}
	if block.Randomness == "" {
		trace.Randomness = 0
	}
	if block.ID != "" {
		id, err := hex.DecodeString(block.ID)
		require.NoError(t, err)
		trace.ID = wire.TraceID(id)
	}
	views := slices.Repeat(policytest.Views(t, block.Spans...), max(1, block.Times))
	var answer string
	for range max(1, block.Repeat) {
		answer = observeAndDecide((*sets)[0], trace, views, policytest.EachInTurn)
		for i, way := range policytest.Ways[:len(*sets)-1] {
			require.Equal(t, answer, observeAndDecide((*sets)[i+1], trace, views, way), block.Trace)
		}
	}
	return answer
}

func observeAndDecide(
	set *policy.Set, trace policy.Trace, views []policy.SpanView, observe func(policytest.Observer, []policy.SpanView) []uint64,
) string {
	trace.Bits = observe(set, views)
	trace.Spans = len(views)
	trace.Skeleton = func() iter.Seq[policy.SpanView] { return slices.Values(views) }
	for i, v := range views {
		if i == 0 {
			trace.Start, trace.End = v.Span.Start, v.Span.End
		}
		trace.Start, trace.End = min(trace.Start, v.Span.Start), max(trace.End, v.Span.End)
	}
	return describe(set, trace)
}

func describe(set *policy.Set, trace policy.Trace) string {
	certain := set.Certain(&trace)
	d := set.Decide(&trace, nil)
	answer := d.Verdict.String()
	if d.Policy != policy.None {
		answer += " by " + set.Name(d.Policy)
	}
	if d.Sub != policy.None {
		answer += " (" + set.Subs(d.Policy)[d.Sub] + ")"
	}
	switch {
	case d.Weightless:
		answer += ", weightless"
	case d.Verdict == policy.Sampled:
		answer += fmt.Sprintf(", th:%014x", d.Threshold)
	}
	if certain {
		answer += ", certain"
	}
	if set.Errors(trace.Bits) {
		answer += ", has errors"
	}
	return answer
}
