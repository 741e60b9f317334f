// Package rates does the arithmetic of policies that depend on earlier traces: it deals in costs, keys and times, and knows
// neither traces nor policies.
//
//   - Limiter computes the threshold that keeps sampled traces near a rate.
//   - Dynamic computes a threshold for each key, which keeps rare keys whole and meets a target.
//   - Periods counts by key within periods.
//   - Coverage is a set of operations, each for a period.
//
// Times are in nanoseconds since some instant and never go back. The methods of a value must be called one at a time, except
// Coverage.StaysCovered.
package rates

// Other is the key for all keys without a place of their own. No key may be 0.
const Other = 0
