// Package lab is what the programs share that measure the exporter: a fake
// cluster of any size and the exporter, each a process of its own; what the
// kernel says of their memory and time; and the floors that figures are held
// against.
//
// It may hold instruments. What is measured, and what of it is printed, is in
// the programs.
package lab
