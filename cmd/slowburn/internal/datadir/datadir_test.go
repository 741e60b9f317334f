package datadir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn"
	"github.com/slowburn/slowburn/internal/owner"
)

// files is a configuration of running components, each with its directory.
func files(directories ...string) *confmap.Conf {
	exporters, ids := map[string]any{}, []any{}
	for i, directory := range directories {
		id := fmt.Sprint("x/", i)
		exporters[id] = map[string]any{"directory": directory}
		ids = append(ids, id)
	}
	return confmap.NewFromStringMap(map[string]any{
		"exporters": exporters, "service": map[string]any{"pipelines": map[string]any{"traces": map[string]any{"exporters": ids}}},
	})
}

// A second process on the data directory gets an error with the owner and the key to set; components with other directories are
// not affected.
func TestClaim(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	t.Setenv(variable, dir)
	release, err := Claim(files(dir, dir+"/tsdb"))
	require.NoError(t, err)

	_, err = Claim(files(dir))
	var inUse *owner.InUseError
	require.ErrorAs(t, err, &inUse)
	assert.Regexp(t, `^SLOWBURN_DATA_DIR: `+dir+` is in use by another process \(pid \d+ on host .*\): stop that one, or set SLOWBURN_DATA_DIR`, err.Error())

	other, err := Claim(files(elsewhere))
	require.NoError(t, err)
	other()
	_, err = Claim(files(elsewhere, dir+"/x/y"))
	require.ErrorAs(t, err, &inUse, "one directory is below it")

	release()
	release, err = Claim(files(dir))
	require.NoError(t, err)
	release()
}

// The shipped configuration keeps its files in the data directory, and creates it.
func TestClaimShipped(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	t.Setenv(variable, dir)
	shipped, err := confmap.NewRetrievedFromYAML([]byte(strings.ReplaceAll(slowburn.DefaultConfig, "${env:SLOWBURN_DATA_DIR:-slowburn-data}", dir)))
	require.NoError(t, err)
	conf, err := shipped.AsConf()
	require.NoError(t, err)
	release, err := Claim(conf)
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(dir, "slowburn.lock"))
	release()
}

// A directory that cannot be locked is left to the components, and no unneeded one is created.
func TestClaimSkipsUnlockableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	t.Setenv(variable, file)
	release, err := Claim(files(file))
	require.NoError(t, err)
	release()

	none := filepath.Join(t.TempDir(), "none")
	t.Setenv(variable, none)
	release, err = Claim(files(t.TempDir()))
	require.NoError(t, err)
	release()
	assert.NoDirExists(t, none)

	t.Chdir(t.TempDir())
	t.Setenv(variable, "")
	release, err = Claim(files("slowburn-data/spans"))
	require.NoError(t, err)
	release()
	assert.FileExists(t, "slowburn-data/slowburn.lock")
}

func TestKeepsFilesIn(t *testing.T) {
	running := map[string]any{"extensions": []any{"e"}, "pipelines": map[string]any{"traces": map[string]any{"exporters": []any{"x"}}}}
	for name, test := range map[string]struct {
		sections map[string]any
		want     bool
	}{
		"nothing":             {nil, false},
		"itself":              {map[string]any{"exporters": map[string]any{"x": map[string]any{"directory": "/data"}}}, true},
		"below":               {map[string]any{"extensions": map[string]any{"e": map[string]any{"directory": "/data/./e/"}}}, true},
		"a name that is like": {map[string]any{"extensions": map[string]any{"e": map[string]any{"directory": "/data2"}}}, false},
		"above":               {map[string]any{"extensions": map[string]any{"e": map[string]any{"directory": "/"}}}, false},
		"not running":         {map[string]any{"extensions": map[string]any{"f": map[string]any{"directory": "/data"}}}, false},
		"in memory":           {map[string]any{"exporters": map[string]any{"x": map[string]any{"directory": "/data", "storage": "memory"}}}, false},
		"no configuration":    {map[string]any{"exporters": map[string]any{"x": nil}, "extensions": nil}, false},
	} {
		conf := map[string]any{"service": running}
		for section, components := range test.sections {
			conf[section] = components
		}
		assert.Equal(t, test.want, keepsFilesIn(confmap.NewFromStringMap(conf), "/data"), name)
	}
}
