package slowburn_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/slowburn/slowburn/"

// rooms are the walls between packages: packages in from, and not in except, may not import those in to.
var rooms = []struct {
	from, except string
	to           []string
	why          string
}{
	{
		from: "processor/", to: []string{"slo", "web"},
		why: "spans must flow when the numbers or the screens fail: hand over through internal/host",
	},
	{
		from: "slo", to: []string{"processor", "web"},
		why: "the numbers must be computable without the data plane: read spans through internal/wire in slo/sli",
	},
	{
		from: "slo", except: "slo/sli", to: []string{"internal/wire"},
		why: "only slo/sli reads spans: everything behind it works on metrics",
	},
	{
		from: "internal/", to: []string{"processor", "slo", "web", "cmd"},
		why: "every room depends on internal/: it cannot depend on a room",
	},
	{
		from: "", except: "cmd/", to: []string{"web"},
		why: "spans flow and alerts fire without the dashboard: only the binary knows it",
	},
}

// TestRooms fails for an import through a wall.
func TestRooms(t *testing.T) {
	require.NoError(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && file != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if why := breached(path.Dir(filepath.ToSlash(file)), imported); why != "" {
				t.Errorf("%s imports %s: %s", file, imported, why)
			}
		}
		return nil
	}))
}

// breached returns why a package may not import another, and "" if it may.
func breached(pkg, imported string) string {
	target, ours := strings.CutPrefix(imported, module)
	if !ours {
		return ""
	}
	for _, room := range rooms {
		if !within(pkg, room.from) || room.except != "" && within(pkg, room.except) {
			continue
		}
		for _, forbidden := range room.to {
			if within(target, forbidden) && !within(pkg, forbidden) {
				return room.why
			}
		}
	}
	return ""
}

func within(pkg, room string) bool {
	room = strings.TrimSuffix(room, "/")
	return room == "" || pkg == room || strings.HasPrefix(pkg, room+"/")
}

// TestWallsStand shows that the check finds a breach.
func TestWallsStand(t *testing.T) {
	for _, breach := range [][2]string{
		{"processor/otlp", "slo"}, {"processor/otlp", "web"}, {"slo", "processor/policy"},
		{"slo/engine", "internal/wire"}, {"internal/wire", "slo/sli"}, {"slo/sli", "web"},
	} {
		require.NotEmpty(t, breached(breach[0], module+breach[1]), breach)
	}
	for _, fine := range [][2]string{
		{"slo/sli", "internal/wire"}, {"web", "processor/trace"}, {"cmd/slowburn", "web"}, {"web", "slo/engine"},
	} {
		require.Empty(t, breached(fine[0], module+fine[1]), fine)
	}
}
