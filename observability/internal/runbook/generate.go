package runbook

//go:generate go run ../../cmd/runbooks -rules ../../rules -o ../../../docs/runbooks
