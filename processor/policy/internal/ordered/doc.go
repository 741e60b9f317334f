// Package ordered has rules that are asked in their order: the first whose match is for a trace decides about it.
//
// Its types are Rule (a compiled rule); Read makes the policy of a sample as it is written. A rule matches what
// its match does, whether or not it then samples the trace, which is why no rule after it is asked. Package policy compiles
// both parts, and holds the vote. Nothing here has a lock.
package ordered
