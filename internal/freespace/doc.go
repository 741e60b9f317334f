// Package freespace knows how much room a volume has, and what to do where it has none.
//
// Its types are Space (what a volume has) and Floor (how much of it is left to others). They may be used concurrently.
package freespace
