// Package rest is how the API reads requests and writes answers: Params and PathParam for what is asked, WriteJSON for what
// is answered, Page for an answer that may be large, which is written as it is made, Problem and Failure for what went wrong,
// NotAllowed for methods that a path does not take.
package rest
