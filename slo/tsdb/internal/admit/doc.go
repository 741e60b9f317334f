// Package admit decides which data points of a request may become samples, before anything is made of them: a Gate holds
// them against Limits and passes the rest on in Parts of bounded size. The memory for a request of d bytes is then bounded by d and a
// constant, however its resources, labels and buckets multiply.
//
// Its types are Gate, Limits, Part and Rejection. A Gate is immutable and may be used concurrently; it never changes the
// metrics that it is given. Small requests within all limits are passed on unchanged; other requests are copied, part by part.
package admit
