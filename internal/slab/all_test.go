package slab_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/slab"
)

func TestTableAll(t *testing.T) {
	var table slab.Table
	assert.Empty(t, numbers(&table))
	var want []uint32
	for n := range uint32(200) {
		table.Insert(n%7, n+1)
		if n%3 == 0 {
			assert.True(t, table.Remove(n%7, n+1))
			continue
		}
		want = append(want, n+1)
	}
	assert.ElementsMatch(t, want, numbers(&table))
}

func numbers(t *slab.Table) (all []uint32) {
	t.All(func(number uint32) { all = append(all, number) })
	return all
}
