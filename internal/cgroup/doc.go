// Package cgroup returns the memory that the process may use: the lowest limit of its control groups, version 1 or 2, or
// the memory of the machine if that is less. It has no types and no locks; it reads files at each call.
package cgroup
