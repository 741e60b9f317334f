package cost

import (
	"bytes"
	"maps"
)

// element is what a value in JSON costs that belongs to a key: in place of it, or in an array.
type element struct{ object, scalar int64 }

// slice returns what an element of a slice costs that stands for each bytes beside its place: slices grow, see room.
func slice(each, place int64) int64 { return each + place*9/4 }

// unknown is a key whose name was not read, for it has escapes: what pdata makes of it is one of the others.
var unknown = element{object: slice(span, pointer), scalar: slice(0, str)}

// byKey says what the values of OTLP's keys cost. Other keys cost nothing: pdata passes over them.
var byKey = map[string]element{
	"resourceSpans":        {object: slice(group, pointer)},
	"scopeSpans":           {object: slice(scopeGroup, pointer)},
	"spans":                {object: slice(span, pointer)},
	"events":               {object: slice(event, pointer)},
	"links":                {object: slice(link, pointer)},
	"resourceMetrics":      {object: slice(group, pointer)},
	"scopeMetrics":         {object: slice(scopeGroup, pointer)},
	"metrics":              {object: slice(metric, pointer)},
	"dataPoints":           {object: slice(exponentialPoint, pointer)},
	"quantileValues":       {object: slice(quantile, pointer)},
	"entityRefs":           {object: slice(entityRef, pointer)},
	"attributes":           {object: slice(0, keyValue)},
	"filteredAttributes":   {object: slice(0, keyValue)},
	"metadata":             {object: slice(0, keyValue)},
	"values":               {object: slice(0, keyValue)},
	"exemplars":            {object: slice(0, exemplar)},
	"gauge":                {object: data},
	"histogram":            {object: data},
	"exponentialHistogram": {object: data},
	"summary":              {object: data},
	"sum":                  {object: data, scalar: wrapper},
	"bucketCounts":         {scalar: slice(0, number)},
	"explicitBounds":       {scalar: slice(0, number)},
	"idKeys":               {scalar: slice(0, str)},
	"descriptionKeys":      {scalar: slice(0, str)},
	"arrayValue":           {object: nested},
	"kvlistValue":          {object: nested},
	"stringValue":          {scalar: 2 * wrapper},
	"bytesValue":           {scalar: 3 * wrapper},
	"boolValue":            {scalar: wrapper},
	"intValue":             {scalar: wrapper},
	"doubleValue":          {scalar: wrapper},
	"asInt":                {scalar: wrapper},
	"asDouble":             {scalar: wrapper},
}

// init adds the names with underscores, which pdata takes as well.
func init() {
	for name, e := range maps.Clone(byKey) {
		var snake []byte
		for _, c := range []byte(name) {
			if c >= 'A' && c <= 'Z' {
				snake = append(snake, '_', c+'a'-'A')
			} else {
				snake = append(snake, c)
			}
		}
		byKey[string(snake)] = e
	}
}

// JSON returns how many bytes pdata takes at most for an OTLP request in JSON, of traces or metrics. It reads no further than
// to an unmatched bracket.
func JSON(body []byte) int64 {
	var (
		cost    int64
		within  []element // of the objects and arrays around: what the values in them cost
		current element
		isArray []bool
		key     bool // the next text is a key
	)
	for pos := 0; pos < len(body); {
		switch c := body[pos]; c {
		case '{', '[':
			if c == '{' {
				cost += current.object
			}
			within, isArray = append(within, current), append(isArray, c == '[')
			key = c == '{'
			pos++
		case '}', ']':
			if len(within) == 0 {
				return cost
			}
			current = within[len(within)-1]
			within, isArray = within[:len(within)-1], isArray[:len(isArray)-1]
			key = false
			pos++
		case ',':
			if n := len(within); n > 0 {
				if key = !isArray[n-1]; !key {
					current = within[n-1]
				}
			}
			pos++
		case ':', ' ', '\t', '\r', '\n':
			pos++
		case '"':
			content, next := quoted(body, pos)
			pos = next
			if !key {
				cost += current.scalar + copied(len(content))
				continue
			}
			key = false
			if bytes.IndexByte(content, '\\') >= 0 {
				current = unknown
			} else {
				current = byKey[string(content)]
			}
		default: // a number, or null, of which pdata makes an empty structure
			cost += max(current.scalar, current.object)
			for pos++; pos < len(body) && bytes.IndexByte([]byte(",]}\""), body[pos]) < 0; {
				pos++
			}
		}
	}
	return cost
}

// quoted returns what is between the quotes at pos, and the position behind.
func quoted(body []byte, pos int) (content []byte, next int) {
	pos++
	for end := pos; end < len(body); end++ {
		switch body[end] {
		case '\\':
			end++
		case '"':
			return body[pos:end], end + 1
		}
	}
	return body[pos:], len(body)
}
