// Package ordered has rules that are asked in their order: the first one that matches a trace decides about it.
//
// Its types are Rule (a compiled rule); Read reads the sample of a rule. A rule matches the traces of its match, whether it
// then samples them or not, so that no later rule is asked. Package policy compiles both parts, and holds the vote. There
// are no locks.
package ordered
