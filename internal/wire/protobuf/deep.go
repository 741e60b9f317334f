package protobuf

// MaxDepth is how deep messages may be nested: what google.golang.org/protobuf allows. pdata has no limit and would let a
// request exhaust the stack.
const MaxDepth = 10_000

// TooDeep reports that decoding b, a protobuf message of any type, could take more than 10,000 nested messages, which is
// where google.golang.org/protobuf stops. pdata recurses without a limit: 20 MB of nested attribute values are enough
// to exhaust the stack, which ends the process. Requests that package wire scanned are known not to be.
//
// It knows no schema, so it takes every field that could be a message for one. Text cannot be that deep by chance: each
// level has to hold the length of all that follows.
func TooDeep(b []byte) bool {
	if len(b) < 2*MaxDepth { // each level takes a tag and a length
		return false
	}
	ends := []int{len(b)}
	for pos := 0; len(ends) > 0; {
		end := ends[len(ends)-1]
		if pos >= end {
			ends = ends[:len(ends)-1]
			continue
		}
		_, typ, next := Tag(b[:end], pos)
		if next >= 0 && typ == TypeLen {
			var inner int
			if next, inner = Length(b[:end], next); next >= 0 {
				if ends = append(ends, inner); len(ends) > MaxDepth {
					return true
				}
			}
		} else if next >= 0 {
			next = Skip(b[:end], next, typ)
		}
		if next < 0 { // no message, or a malformed one, which decoding stops at
			next = end
		}
		pos = next
	}
	return false
}
