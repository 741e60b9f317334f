package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionLine returns the binary's version and commit, and the Go version that built it.
func versionLine() string {
	return fmt.Sprintf("%s (commit %s, %s, %s/%s)", version, cmp.Or(commit, recordedCommit(), "unknown"), runtime.Version(),
		runtime.GOOS, runtime.GOARCH)
}

// recordedCommit returns the commit that the go command recorded, for a binary that `make build` did not build.
func recordedCommit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, changed string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			changed = when(s.Value == "true", "-dirty")
		}
	}
	return when(revision != "", revision+changed)
}
