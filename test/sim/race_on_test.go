//go:build race

package sim

// defaultSeeds is fewer where the race detector makes each take ten times as long: one goroutine at a time has few races.
const defaultSeeds = 40
