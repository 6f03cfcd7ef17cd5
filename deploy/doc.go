// Package deploy stands for what ships the exporter: the image, the packages,
// the chart and the manifests. Its module is one of its own, since what makes and
// tests them needs much that the exporter must not depend on.
//
// It may hold no code; cmd has what writes files, test has the tests.
package deploy
