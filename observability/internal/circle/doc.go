// Package circle closes the circle: a fake cluster, the exporter before it, a real
// Prometheus with the shipped rules before that, and every expression of every
// board and rule evaluated there. It may hold nothing but tests, and nobody
// imports it.
package circle
