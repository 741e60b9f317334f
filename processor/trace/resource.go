package trace

// Resource is a resource, and what its attributes say.
type Resource struct {
	// Header is the ResourceSpans message without its spans, for functions of package wire. Of several with the same
	// attributes it is the least.
	Header []byte
	// Text is canonical: two resources share it if and only if they hold the same attributes.
	Text string
	// Service is the service's name.
	Service string
	// Clock identifies the clock that the resource's spans were timed by; "" where the attributes do not tell.
	Clock string
	// ClockName is how people tell the clock: service @ instance.
	ClockName string
}
