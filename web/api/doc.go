// Package api is the contract of the HTTP API: openapi.yaml, and for each of its schemas a structure with the same name. Clients
// decode into them; openapi.yaml documents the fields. Functions named …Of convert a component's state to a structure. They
// replace nil lists by empty ones, so that JSON never has null where the contract has an array.
//
// All types are plain values, without locks.
package api
