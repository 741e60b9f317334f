package trace

// Resource is a resource and its description.
type Resource struct {
	// Header is the ResourceSpans message without its spans, for functions of package wire. Of several with the same
	// attributes it is the lowest.
	Header []byte
	// Text is canonical: two resources have the same text if and only if they have the same attributes.
	Text string
	// Service is the service's name.
	Service string
	// Clock identifies the clock of the resource's spans; "" if the attributes do not.
	Clock string
	// ClockName is the clock's name for people: service @ instance.
	ClockName string
}
