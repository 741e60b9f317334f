package policy

import (
	"encoding/hex"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
)

var rewrite = flag.Bool("rewrite", false, "write what the code gives into testdata, instead of comparing")

// A file of testdata/*.txt is a list of blocks with an empty line between. A block is YAML, "----" and the answer: to
// policies, what Compile says; to a trace, what the policies above it decide. Lines before "----" may be comments.
func TestDecisions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	contrib, err := filepath.Glob("testdata/contrib/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, contrib)
	for _, file := range append(files, contrib...) {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			var sets []*Set
			blocks := strings.Split(strings.TrimSpace(string(content)), "\n\n")
			for i, block := range blocks {
				question, _, found := strings.Cut(block, "\n----")
				if !found {
					continue // a comment
				}
				answer := answerTo(t, &sets, question)
				blocks[i] = question + "\n----\n" + answer
				if !*rewrite {
					require.Equal(t, blocks[i], block)
				}
			}
			if *rewrite {
				require.NoError(t, os.WriteFile(file, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644))
			}
		})
	}
}

// A file of testdata/bad is the value of tail_sampling::policies, and beside it is the error.
func TestBadPolicies(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.bad.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			got := compileError(t, string(content)) + "\n"
			errorFile := strings.TrimSuffix(file, ".yaml") + ".error"
			if *rewrite {
				require.NoError(t, os.WriteFile(errorFile, []byte(got), 0o644))
			}
			want, err := os.ReadFile(errorFile)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func compileError(t *testing.T, policies string) string {
	var block testBlock
	if err := decodeYAML(t, policies, &block); err != nil {
		return err.Error()
	}
	_, err := Compile(block.Policies, Options{})
	require.Error(t, err)
	return err.Error()
}

// testBlock is a question of a data file.
type testBlock struct {
	Policies   []Config `mapstructure:"policies"`
	Compat     string   `mapstructure:"compat"`
	FirstMatch bool     `mapstructure:"sample_on_first_match"`
	InOrder    bool     `mapstructure:"in_order"` // the order of spans matters

	Trace string `mapstructure:"trace"`
	ID    string `mapstructure:"id"` // in hex
	// Randomness is written like th: the digits that are missing are 0.
	Randomness string        `mapstructure:"randomness"`
	At         time.Duration `mapstructure:"at"`     // when it is decided
	Repeat     int           `mapstructure:"repeat"` // how many such traces there are, of which the last gives the answer
	Bytes      int           `mapstructure:"bytes"`
	Times      int           `mapstructure:"times"` // that the trace has its spans
	Spans      []testSpan    `mapstructure:"spans"`
}

// decodeYAML reads YAML as the Collector does.
func decodeYAML(t *testing.T, yaml string, into any) error {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf.Unmarshal(into)
}

// answerTo has a set of its own for each way to show a trace, as sets may remember the traces before.
func answerTo(t *testing.T, sets *[]*Set, question string) string {
	var block testBlock
	require.NoError(t, decodeYAML(t, question, &block), question)
	if block.Policies != nil {
		*sets = nil
		for range len(ways) + 1 {
			if block.InOrder && len(*sets) == 1 {
				break
			}
			compiled, err := Compile(block.Policies, Options{Contrib: block.Compat == "contrib", FirstMatch: block.FirstMatch})
			require.NoError(t, err, question)
			*sets = append(*sets, compiled)
		}
		return strings.Join(append([]string{"ok"}, (*sets)[0].Warnings()...), "\n")
	}
	require.NotEmpty(t, *sets, "policies must come before traces")
	trace := Trace{
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
	views := slices.Repeat(block.views(t), max(1, block.Times))
	var answer string
	for range max(1, block.Repeat) {
		answer = observeAndDecide((*sets)[0], trace, views, eachInTurn)
		for i, way := range ways[:len(*sets)-1] {
			require.Equal(t, answer, observeAndDecide((*sets)[i+1], trace, views, way), block.Trace)
		}
	}
	return answer
}

// views encodes the spans, each with a resource of its own.
func (b testBlock) views(t *testing.T) []SpanView { return policytest.Views(t, b.Spans...) }

func observeAndDecide(set *Set, trace Trace, views []SpanView, observe func(*Set, []SpanView) []uint64) string {
	trace.Bits = observe(set, views)
	trace.Spans = len(views)
	trace.Skeleton = func() iter.Seq[SpanView] { return slices.Values(views) }
	for i, v := range views {
		if i == 0 {
			trace.Start, trace.End = v.Span.Start, v.Span.End
		}
		trace.Start, trace.End = min(trace.Start, v.Span.Start), max(trace.End, v.Span.End)
	}
	return describe(set, trace)
}

func describe(set *Set, trace Trace) string {
	certain := set.Certain(&trace)
	d := set.Decide(&trace, nil)
	answer := d.Verdict.String()
	if d.Policy != None {
		answer += " by " + set.Name(d.Policy)
	}
	if d.Sub != None {
		answer += " (" + set.Subs(d.Policy)[d.Sub] + ")"
	}
	switch {
	case d.Weightless:
		answer += ", weightless"
	case d.Verdict == Sampled:
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
