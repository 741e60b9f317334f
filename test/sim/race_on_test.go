//go:build race

package sim

// defaultSeeds is lower with the race detector, which makes a seed ten times as slow: with one goroutine at a time there are few races.
const defaultSeeds = 40
