package skeleton

import (
	"cmp"
	"iter"
	"slices"
)

// Retries counts calls that repeat a failed one: the same operation under the same parent, begun later. If clients report
// more resends, that number counts.
func (k *Skeleton) Retries() int {
	told, seen := 0, 0
	for i := range k.Spans {
		told += int(k.Spans[i].Failure.Resends)
		for range k.repetitions(k.childrenOf(i)) {
			seen++
		}
	}
	return max(told, seen)
}

// repetitions yields pairs of siblings of which the later repeats the earlier, failed one. It sorts the children.
func (k *Skeleton) repetitions(children []int32) iter.Seq2[int32, int32] {
	return func(yield func(earlier, later int32) bool) {
		if len(children) < 2 {
			return
		}
		slices.SortFunc(children, k.compareCalls)
		failed := int32(-1)
		for i, c := range children {
			s := &k.Spans[c]
			if i == 0 || !k.sameCall(children[i-1], c) {
				failed = -1
			}
			if failed >= 0 && !s.entered() && !yield(failed, c) {
				return
			}
			if s.failed() {
				failed = c
			}
		}
	}
}

func (k *Skeleton) compareCalls(a, b int32) int {
	x, y := &k.Spans[a], &k.Spans[b]
	return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Kind, y.Kind),
		cmp.Compare(x.Start, y.Start), cmp.Compare(a, b))
}

func (k *Skeleton) sameCall(a, b int32) bool {
	x, y := &k.Spans[a], &k.Spans[b]
	return x.Service == y.Service && x.Name == y.Name && x.Kind == y.Kind
}
