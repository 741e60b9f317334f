// Package reference describes every key of the configuration: Of walks the default configurations of the factories, JSON writes a
// schema for editors, and Markdown writes the page docs/reference/config.md. A test generates both, and fails when they are out
// of date; the schema is embedded in the binary, so that `slowburn schema` does not need this package.
//
// Its types are Key, a node of the tree of keys, and Rule, which has what a key's Go type lacks: which values are valid, and what
// 0 means. A test checks each Rule against the component's own validation.
//
// The walk is our own because no library reads these structures: keys are in mapstructure tags with squash and remain, defaults
// in values and not in tags, durations and sizes in types that reveal their texts only by decoding, optional sections in
// configoptional.Optional, and policies in a table. There are no locks.
package reference
