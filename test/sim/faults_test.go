package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	faultSeeds = flag.Int("faults", 0, "put each fault back, and find it with so many seeds at most; 0 does not")
	oneFault   = flag.String("fault", "", "put only this one back")
)

// readFaults returns the faults below faults/, by name.
func readFaults(t *testing.T) map[string]patch {
	names, err := filepath.Glob("faults/*.patch")
	require.NoError(t, err)
	all := map[string]patch{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		p, err := parsePatch(string(b))
		require.NoError(t, err, name)
		require.NotEmpty(t, p.what, name)
		all[strings.TrimSuffix(filepath.Base(name), ".patch")] = p
	}
	return all
}

const root = "../.."

// faulty returns a fault's file with the fault applied.
func faulty(t *testing.T, p patch) string {
	b, err := os.ReadFile(filepath.Join(root, p.file))
	require.NoError(t, err)
	text, err := p.apply(string(b))
	require.NoError(t, err)
	return text
}

// Each fault applies to the present code.
func TestFaultsApply(t *testing.T) {
	all := readFaults(t)
	assert.GreaterOrEqual(t, len(all), 15)
	for name, p := range all {
		t.Run(name, func(t *testing.T) { faulty(t, p) })
	}
}

var foundBy = regexp.MustCompile(`seed (\d+): (.*)`)

// Some seed finds each fault. The gateway is built with an overlay of the faulty file, which leaves the source unchanged.
func TestFaults(t *testing.T) {
	if *faultSeeds == 0 {
		t.Skip("builds the gateway for each fault: run it with make sim-faults")
	}
	for name, p := range readFaults(t) {
		if *oneFault != "" && *oneFault != name {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			changed, binary := filepath.Join(dir, "faulty.go"), filepath.Join(dir, "sim.test")
			require.NoError(t, os.WriteFile(changed, []byte(faulty(t, p)), 0o600))
			path, err := filepath.Abs(filepath.Join(root, p.file))
			require.NoError(t, err)
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
			require.NoError(t, err)
			file := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(file, overlay, 0o600))
			build := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-overlay", file, "-o", binary, ".")
			out, err := build.CombinedOutput()
			require.NoError(t, err, string(out))
			run := exec.Command(binary, "-test.run", "^TestSeeds$", "-test.timeout", "1h", "-stop", "-seeds", fmt.Sprint(*faultSeeds))
			out, err = run.CombinedOutput()
			found := foundBy.FindSubmatch(out)
			require.Error(t, err, "no seed below %d finds it: %s", *faultSeeds, p.what)
			require.NotNil(t, found, string(bytes.TrimSpace(out)))
			t.Logf("| %s | %s | %s | %.200s |", name, p.what, found[1], found[2])
		})
	}
}
