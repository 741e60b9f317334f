//go:build !race

package mapped

const raced = false
