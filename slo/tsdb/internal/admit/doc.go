// Package admit decides which data points of a request may become samples, before anything is made of them: a Gate holds
// them against Limits and passes the rest on in Parts of bounded size. What a request of d bytes takes is then bounded by d and
// a constant, whatever its resources, labels and buckets are multiplied with.
//
// Its types are Gate, Limits, Part and Rejection. A Gate is immutable and may be used concurrently; it never changes the
// metrics that it is given. What is within all limits, and small, is passed on as it came; other requests are copied, part by part.
package admit
