package contrib

import (
	"math/big"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Hashed is contrib's probabilistic policy: it matches a trace if the 64-bit FNV-1a hash of salt and trace ID is at most a
// limit. Nodes with the same salt agree.
type Hashed struct {
	salted uint64 // the hash of the salt
	limit  uint64
}

const (
	fnvOffset, fnvPrime = 14695981039346656037, 1099511628211
	defaultSalt         = "default-hash-seed"
)

// NewHashed returns the rule for a share in percent.
func NewHashed(salt string, percent float64) Hashed {
	if salt == "" {
		salt = defaultSalt
	}
	return Hashed{salted: fnv1a(fnvOffset, []byte(salt)), limit: hashLimit(percent / 100)}
}

// hashLimit returns share·(2^64−1), with the 64 bits of precision that contrib has.
func hashLimit(share float64) uint64 {
	const all = 1<<64 - 1
	product := new(big.Float).SetPrec(64).SetUint64(all)
	limit, _ := product.Mul(product, big.NewFloat(min(share, 1))).Uint64()
	return limit
}

func fnv1a(hash uint64, b []byte) uint64 {
	for _, c := range b {
		hash = (hash ^ uint64(c)) * fnvPrime
	}
	return hash
}

// Match implements rule.Rule.
func (h Hashed) Match(t *rule.Trace) (uint64, bool) { return 0, fnv1a(h.salted, t.ID[:]) <= h.limit }
