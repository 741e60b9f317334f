// Package freespace reads the free space of a volume, and advises what to do when it is full.
//
// Its types are Space (of a volume) and Floor (the free space that is left to others). They may be used concurrently.
package freespace
