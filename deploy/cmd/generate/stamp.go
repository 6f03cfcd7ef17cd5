package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// stamp is a place where a file names the version or the image.
type stamp struct {
	file    string // from the root of the repository
	place   string // a regular expression; the file must have it
	becomes string
}

func stamps(version, image string) []stamp {
	const (
		number = `\d+\.\d+\.\d+[0-9A-Za-z.+-]*`
		ref    = `[a-z0-9][a-z0-9.:-]*(?:/[a-z0-9._-]+)*/rocketmq_exporter:` + number
	)
	return []stamp{
		{chartFolder + "/Chart.yaml", `(?m)^version: .*$`, "version: " + version},
		{chartFolder + "/Chart.yaml", `(?m)^appVersion: .*$`, `appVersion: "` + version + `"`},
		{chartFolder + "/values.yaml", `(?m)^  repository: .*$`, "  repository: " + image},
		{"deploy/kubernetes/base/deployment.yaml", ref, image + ":" + version},
		{"docs/install-docker.md", ref, image + ":" + version},
		{"docs/install-kubernetes.md", `rocketmq-exporter-` + number + `\.tgz`, "rocketmq-exporter-" + version + ".tgz"},
		{"docs/install-bare-metal.md", `rocketmq-exporter_` + number + `_`, "rocketmq-exporter_" + version + "_"},
		{"docs/install-bare-metal.md", `rocketmq-exporter-` + number + `-1\.`, "rocketmq-exporter-" + version + "-1."},
	}
}

func stampAll(root, version, image string) error {
	var errs []error
	for _, s := range stamps(version, image) {
		errs = append(errs, s.put(root))
	}
	return errors.Join(errs...)
}

func (s stamp) put(root string) error {
	place := regexp.MustCompile(s.place)
	name := filepath.Join(root, s.file)
	text, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return err
	}
	if !place.Match(text) {
		return fmt.Errorf("%s: there is no %s to write %s to", name, s.place, s.becomes)
	}
	return write(name, place.ReplaceAllLiteralString(string(text), s.becomes))
}
