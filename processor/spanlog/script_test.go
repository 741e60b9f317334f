package spanlog

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts below testdata give into them")

// A script is a list of steps, each a command line, "----", and the command's output, up to an empty line. Lines that begin with
// # are comments. -rewrite fills in the output.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			got := runScript(t, string(want))
			if *rewrite {
				require.NoError(t, os.WriteFile(path, got, 0o600))
				return
			}
			assert.Equal(t, string(want), string(got))
		})
	}
}

func runScript(t *testing.T, script string) []byte {
	w := newWorld(t)
	defer w.close()
	var out bytes.Buffer
	lines := strings.Split(strings.TrimRight(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		fmt.Fprintln(&out, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if i+1 < len(lines) && lines[i+1] == "----" {
			for i++; i+1 < len(lines) && lines[i+1] != ""; i++ {
			}
		}
		fields := strings.Fields(line)
		var result strings.Builder
		w.run(&result, fields[0], parseArgs(fields[1:]))
		if result.Len() > 0 {
			fmt.Fprintf(&out, "----\n%s", result.String())
			if i+1 < len(lines) && lines[i+1] != "" {
				fmt.Fprintln(&out)
			}
		}
	}
	return out.Bytes()
}

// args are the words of a command: key=value, or a key alone.
type args map[string]string

func parseArgs(words []string) args {
	a := args{}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		a[key] = value
	}
	return a
}

func (a args) has(key string) bool { _, ok := a[key]; return ok }

func (a args) text(key, otherwise string) string {
	if v, ok := a[key]; ok {
		return v
	}
	return otherwise
}

func (a args) number(key string, otherwise int) int {
	v, ok := a[key]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(v, 0, 64)
	if err != nil {
		panic(err)
	}
	return int(n)
}
