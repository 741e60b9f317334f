// Package version has the versions of the policies. Policies can change while spans come in; a trace goes by the version
// under which its first span came.
//
// Its types are Versions (all so far), Version (compiled policies and their shadow; it does not change), Names (numbers
// for policies, which outlive versions), InUse (a shard's versions and the policies' bits of its traces) and History (the
// contents of the latest versions, for display).
//
// Names and History are safe for concurrent use, a Version as far as its sets are; InUse is guarded by its shard's mutex.
package version
