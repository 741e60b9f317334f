package cost

import (
	"bytes"
	"maps"
)

// element is the cost of a value of a key in JSON: of an object or a scalar, alone or in an array.
type element struct{ object, scalar int64 }

// slice returns the cost of an element of a slice: each bytes and its place. Slices grow, see room.
func slice(each, place int64) int64 { return each + place*9/4 }

// unknown is charged for a key with escapes, whose name was not read.
var unknown = element{object: slice(span, pointer), scalar: slice(0, str)}

// byKey has the costs of the values of OTLP's keys. Other keys cost nothing, as pdata skips them.
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

// init adds the names with underscores, which pdata also accepts.
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

// JSON returns the largest number of bytes that pdata takes for an OTLP request in JSON, of traces or metrics. It stops at an
// unmatched bracket.
func JSON(body []byte) int64 {
	var (
		cost    int64
		within  []element // costs of values in the enclosing objects and arrays
		current element
		isArray []bool
		key     bool // the next string is a key
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
		default: // a number, or null, for which pdata makes an empty structure
			cost += max(current.scalar, current.object)
			for pos++; pos < len(body) && bytes.IndexByte([]byte(",]}\""), body[pos]) < 0; {
				pos++
			}
		}
	}
	return cost
}

// quoted returns the content of the string at pos, and the position after it.
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
