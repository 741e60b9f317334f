// Package api is the contract of the HTTP API: openapi.yaml, and a structure for each of its schemas and under its name. Clients
// decode into them; openapi.yaml says what the fields mean. Functions named …Of make a structure of what a component says of itself.
// They leave no list nil, so that JSON never has null where the contract has an array.
//
// Everything here is a value, without locks.
package api
