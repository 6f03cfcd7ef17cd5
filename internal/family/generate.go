package family

//go:generate go run ./metricsdoc -o ../../docs/metrics.md
