// Package version has the versions of the policies: the policies can be changed while spans come in, and a trace goes by
// the version under which its first span came.
//
// Its types are Versions (all that there were), Version (compiled policies and their shadow; it does not change), Names
// (numbers for what decides, which outlive versions), InUse (a shard's versions and the policies' bits of its traces) and
// History (what the latest versions were made of, to be shown).
//
// Names and History are safe for concurrent use, a Version as far as its sets are; InUse is guarded by its shard's mutex.
package version
