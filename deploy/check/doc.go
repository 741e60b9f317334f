// Package check holds what deploy/ ships to its promises, without a network: the static binary, the image, the unit, the packages, the
// compose file, the release. `make deploy-check` builds them and runs it, as root; without the build tag deploy there is nothing here.
//
// The tests run in a network and a mount namespace of their own (namespace_test.go), so that gateways listen on the ports that they ship
// with, on a loopback that nobody else has, and nothing that is mounted is left behind.
package check
