// Package api is the contract of the HTTP API: openapi.yaml, and for each of its schemas a structure with the same name. Clients
// decode into them; openapi.yaml says what the fields mean. Functions named …Of convert a component's state to a structure. They
// leave no list nil, so that JSON never has null where the contract has an array.
//
// Everything here is a value, without locks.
package api
