package version

import "sync/atomic"

// Versions are the versions that there were: the current one, the latest to be shown, and all names. It is safe for
// concurrent use.
type Versions struct {
	Names   *Names
	History History
	current atomic.Pointer[Version]
}

// NewVersions returns Versions with a first one, which was made with these names.
func NewVersions(names *Names, first *Version) *Versions {
	v := &Versions{Names: names}
	v.Set(first)
	return v
}

// Current is the version under which new traces begin, once their shard has it too.
func (v *Versions) Current() *Version { return v.current.Load() }

// Set makes another version the current one. One goroutine at a time may do that.
func (v *Versions) Set(next *Version) {
	v.History.Add(next)
	v.current.Store(next)
}
