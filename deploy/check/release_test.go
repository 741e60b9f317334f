//go:build deploy

package check

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// packaged is one file of a package.
type packaged struct {
	Src, Dst, Type, Packager string
	FileInfo                 struct{ Mode int } `yaml:"file_info"`
}

// release is what the release and `make` have in common.
type release struct {
	Builds []struct {
		Env, Flags, Ldflags, Targets []string
	}
	Nfpms []struct {
		Formats    []string
		Recommends []string
		Contents   []packaged
		Scripts    map[string]string
	}
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), file)
}

// TestReleaseBuilds: a release is built as `make build` builds, for the systems that `make deploy-cross` builds for, and this one.
func TestReleaseBuilds(t *testing.T) {
	var r release
	decode(t, "deploy/release/.goreleaser.yaml", &r)
	require.Len(t, r.Builds, 1)
	b := r.Builds[0]
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	ldflags := strings.NewReplacer("v{{ .Version }}", "$(VERSION)", "{{ .FullCommit }}", "$(COMMIT)").Replace(b.Ldflags[0])
	small := regexp.MustCompile(`(?m)^SMALL := (.*)$`).FindStringSubmatch(string(makefile))
	require.NotNil(t, small)
	expanded := strings.Replace(string(makefile), "$(SMALL)", small[1], 1) // in STATIC, the first that has it
	assert.Contains(t, expanded, fmt.Sprintf("STATIC = %s $(GO) build %s -ldflags %q\n", b.Env[0], strings.Join(b.Flags, " "), ldflags))
	dockerfile, err := os.ReadFile("deploy/docker/Dockerfile")
	require.NoError(t, err)
	for _, flag := range strings.Fields(small[1]) {
		assert.Contains(t, string(dockerfile), flag)
	}

	fragment, err := os.ReadFile("deploy/deploy.mk")
	require.NoError(t, err)
	listed := regexp.MustCompile(`(?m)^OTHERS = (.*)$`).FindStringSubmatch(string(fragment))
	require.NotNil(t, listed)
	targets := []string{"linux/amd64"}
	assert.ElementsMatch(t, append(targets, strings.Fields(listed[1])...), slash(b.Targets))
}

func slash(targets []string) (out []string) {
	for _, target := range targets {
		out = append(out, strings.Replace(target, "_", "/", 1))
	}
	return out
}

// TestReleasePackages: the packages of a release have what `make deploy-packages` puts in, but for the binary, which the release adds.
func TestReleasePackages(t *testing.T) {
	var r release
	decode(t, "deploy/release/.goreleaser.yaml", &r)
	var ours struct {
		Recommends []string
		Contents   []packaged
		Scripts    map[string]string
	}
	decode(t, "deploy/systemd/nfpm.yaml", &ours)
	require.Len(t, r.Nfpms, 1)
	contents := slices.DeleteFunc(ours.Contents, func(p packaged) bool { return p.Dst == "/usr/bin/slowburn" })
	assert.Equal(t, contents, r.Nfpms[0].Contents)
	assert.Equal(t, ours.Scripts, r.Nfpms[0].Scripts)
	assert.Equal(t, ours.Recommends, r.Nfpms[0].Recommends)
	for _, p := range contents {
		if !strings.HasPrefix(p.Src, "bin/") {
			assert.FileExists(t, p.Src)
		}
	}
}
