package board

//go:generate go run ../../cmd/boards -o ../../grafana
