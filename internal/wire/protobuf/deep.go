package protobuf

// MaxDepth is the largest depth of nested messages, that of google.golang.org/protobuf. pdata has no limit, so that a
// request could exhaust the stack.
const MaxDepth = 10_000

// TooDeep reports whether decoding b, a protobuf message of any type, could take more than 10,000 nested messages, where
// google.golang.org/protobuf stops. pdata recurses without a limit: 20 MB of nested attribute values exhaust the stack,
// which ends the process. A request that package wire has scanned is never too deep.
//
// It knows no schema, so it treats every field that could be a message as one. Text cannot be that deep by chance: each
// level must contain the length of all that follows.
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
		if next < 0 { // not a message, or a malformed one, where decoding stops
			next = end
		}
		pos = next
	}
	return false
}
