package config

//go:generate go run ./configdoc -o ../../docs/configuration.md -readme ../../README.md
//go:generate go run ./envfile -o ../../deploy/package/rocketmq_exporter.env
