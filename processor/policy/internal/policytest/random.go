package policytest

import "math/rand/v2"

// Pick returns one of the values at random.
func Pick[T any](rng *rand.Rand, values ...T) T { return values[rng.IntN(len(values))] }
