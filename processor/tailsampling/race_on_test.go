//go:build race

package tailsampling

const raceEnabled = true
