// Package rates does the arithmetic of policies that know of the traces before: it deals in costs, keys and times, and knows
// neither traces nor policies.
//
//   - Limiter gives the threshold that keeps what is sampled near a rate.
//   - Dynamic gives each key a threshold, such that rare keys are kept whole and a target is met.
//   - Periods counts by key within periods.
//   - Coverage is a set of operations, each for a period.
//
// Times are in nanoseconds since some beginning and never go back. The methods of a value must be called one at a time, but
// for Coverage.Lasts.
package rates

// Other is the key for all keys without a place of their own. No key may be 0.
const Other = 0
