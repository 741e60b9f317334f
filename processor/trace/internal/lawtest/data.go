package lawtest

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/trace/assemble"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata with what the tests found")

// RunData runs the cases under testdata and checks the laws on each. A case is a line "trace <name> [open]", spans in Parse's form, a
// line "----", and the canonical text of the trace up to an empty line.
func RunData(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFile(t, file) })
	}
}

func runFile(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var out strings.Builder
	blocks := strings.Split(strings.TrimRight(string(raw), "\n"), "\n\n")
	for i, block := range blocks {
		if i > 0 {
			out.WriteString("\n")
		}
		head, rest, ok := strings.Cut(block, "\ntrace ")
		if strings.HasPrefix(block, "trace ") {
			head, rest, ok = "", strings.TrimPrefix(block, "trace "), true
		} else if ok {
			head += "\n"
		}
		if !ok { // a comment
			out.WriteString(block + "\n")
			continue
		}
		title, body, _ := strings.Cut(rest, "\n")
		input, want, _ := strings.Cut(body+"\n", "----\n")
		t.Run(strings.Fields(title)[0], func(t *testing.T) {
			td, err := Parse(input)
			require.NoError(t, err)
			opts := assemble.Options{Open: strings.HasSuffix(title, " open")}
			got := Only(td, opts).String()
			out.WriteString(head + "trace " + title + "\n" + input + "----\n" + got)
			if !*rewrite {
				require.Equal(t, strings.TrimRight(want, "\n"), strings.TrimRight(got, "\n"))
			}
			RequireLaws(t, td, opts, rand.New(rand.NewPCG(1, 2)))
		})
	}
	if *rewrite && !t.Failed() {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o600))
	}
}
