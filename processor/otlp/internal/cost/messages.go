package cost

// message has the costs of a message's fields, by number.
type message [21]field

// field is the cost of one occurrence of a field.
type field struct {
	each   int64    // bytes for the structure
	place  int64    // bytes for its place in a slice
	packed bool     // it holds many numbers, each with a place
	copied bool     // pdata copies its content
	sub    *message // a submessage
}

// Sizes of pdata's structures in bytes, as the allocator rounds them.
const (
	pointer  = 8 // in a slice
	number   = 8 // in a slice
	str      = 16
	keyValue = 40 // in a slice, as in all attributes
	anyValue = 16 // in a slice
	exemplar = 72 // in a slice
	wrapper  = 8  // of a oneof value

	group            = 128 // a ResourceSpans or ResourceMetrics
	scopeGroup       = 112
	entityRef        = 80
	span             = 224
	event            = 64
	link             = 80
	metric           = 96
	data             = 48 // a metric's data
	numberPoint      = 96
	histogramPoint   = 160
	exponentialPoint = 208
	summaryPoint     = 96
	quantile         = 16
	nested           = wrapper + 24 // an ArrayValue or KeyValueList

	deprecatedMembers = 1000 // the field in which old exporters sent a group's scopes
)

var text = field{copied: true}

// traces and metrics are the two requests; the others are their parts.
var (
	traces = message{1: {each: group, place: pointer, sub: &resourceSpans}}

	resourceSpans = message{1: {sub: &resource}, 2: {each: scopeGroup, place: pointer, sub: &scopeSpans}, 3: text}
	scopeSpans    = message{1: {sub: &scope}, 2: {each: span, place: pointer, sub: &spans}, 3: text}
	spans         = message{
		3: text, 5: text, 9: {place: keyValue, sub: &attribute}, 11: {each: event, place: pointer, sub: &events},
		13: {each: link, place: pointer, sub: &links}, 15: {sub: &status},
	}
	events = message{2: text, 3: {place: keyValue, sub: &attribute}}
	links  = message{3: text, 4: {place: keyValue, sub: &attribute}}
	status = message{2: text}

	metrics = message{1: {each: group, place: pointer, sub: &resourceMetrics}}

	resourceMetrics = message{1: {sub: &resource}, 2: {each: scopeGroup, place: pointer, sub: &scopeMetrics}, 3: text}
	scopeMetrics    = message{1: {sub: &scope}, 2: {each: metric, place: pointer, sub: &aMetric}, 3: text}
	aMetric         = message{
		1: text, 2: text, 3: text, 5: {each: data, sub: &numbers}, 7: {each: data, sub: &numbers}, 9: {each: data, sub: &histograms},
		10: {each: data, sub: &exponentials}, 11: {each: data, sub: &summaries}, 12: {place: keyValue, sub: &attribute},
	}
	numbers      = message{1: {each: numberPoint, place: pointer, sub: &numberPoints}}
	histograms   = message{1: {each: histogramPoint, place: pointer, sub: &histogramPoints}}
	exponentials = message{1: {each: exponentialPoint, place: pointer, sub: &exponentialPoints}}
	summaries    = message{1: {each: summaryPoint, place: pointer, sub: &summaryPoints}}
	numberPoints = message{
		4: {each: wrapper}, 5: {place: exemplar, sub: &exemplars}, 6: {each: wrapper}, 7: {place: keyValue, sub: &attribute},
	}
	histogramPoints = message{
		6: {place: number, packed: true}, 7: {place: number, packed: true}, 8: {place: exemplar, sub: &exemplars},
		9: {place: keyValue, sub: &attribute},
	}
	exponentialPoints = message{
		1: {place: keyValue, sub: &attribute}, 8: {sub: &buckets}, 9: {sub: &buckets}, 11: {place: exemplar, sub: &exemplars},
	}
	buckets       = message{2: {place: number, packed: true}}
	summaryPoints = message{6: {each: quantile, place: pointer, sub: &quantiles}, 7: {place: keyValue, sub: &attribute}}
	quantiles     = message{}
	exemplars     = message{3: {each: wrapper}, 6: {each: wrapper}, 7: {place: keyValue, sub: &attribute}}

	resource   = message{1: {place: keyValue, sub: &attribute}, 3: {each: entityRef, place: pointer, sub: &entityRefs}}
	entityRefs = message{1: text, 2: text, 3: {place: str, copied: true}, 4: {place: str, copied: true}}
	scope      = message{1: text, 2: text, 3: {place: keyValue, sub: &attribute}}
	attribute  = message{1: text, 2: {}}
	value      = message{
		1: {each: 2 * wrapper, copied: true}, 2: {each: wrapper}, 3: {each: wrapper}, 4: {each: wrapper}, 5: {each: nested, sub: &array},
		6: {each: nested, sub: &list}, 7: {each: 3 * wrapper, copied: true}, 8: {each: wrapper},
	}
	array = message{1: {place: anyValue}}
	list  = message{1: {place: keyValue, sub: &attribute}}
)

// init closes the cycles: a value may hold values.
func init() {
	attribute[2].sub = &value
	array[1].sub = &value
}
