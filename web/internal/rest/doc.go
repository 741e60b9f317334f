// Package rest is how the API reads requests and writes answers: Params and PathParam for what is asked, WriteJSON for what
// is answered, Problem and Failure for what went wrong, NotAllowed for methods that a path does not take, and JSON forms
// of what attributes hold.
package rest
