// Package rest reads the API's requests and writes its answers: Params and PathParam read parameters, WriteJSON writes a small
// answer, Page streams a large one, WriteProblem and Failure write errors, and NotAllowed answers methods that a path does not
// support.
package rest
