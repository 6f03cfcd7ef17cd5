// Package archtest holds rules about the whole module against its source: which
// package may import which, and which requests may ever be sent to a cluster.
// The rules are tables in the tests. It may hold nothing but tests, and nobody
// imports it.
package archtest
