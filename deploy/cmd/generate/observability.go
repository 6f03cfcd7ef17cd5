package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	rulesFolder  = "observability/rules"
	boardsFolder = "observability/grafana" // of folders, one for each language
	ruleFolder   = "deploy/kubernetes/components/prometheus-rule"
	boardFolder  = "deploy/kubernetes/components/dashboards" // of components, likewise
)

// copyRules puts the rules into the chart, and into a component of kustomize:
// both read no file from outside of their folder. An example is not for all.
func copyRules(root string) error {
	files, err := filepath.Glob(filepath.Join(root, rulesFolder, "*.yml"))
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, ".example.yml") })
	return errors.Join(
		mirror(files, filepath.Join(root, chartFolder, "files", "rules")),
		writeRule(files, filepath.Join(root, ruleFolder)),
	)
}

// copyBoards puts the boards into the chart and into components of kustomize, by
// language.
func copyBoards(root string) error {
	to, components := filepath.Join(root, chartFolder, "files", "dashboards"), filepath.Join(root, boardFolder)
	languages, err := filepath.Glob(filepath.Join(root, boardsFolder, "*"))
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(to), os.RemoveAll(components)); err != nil {
		return err
	}
	for _, folder := range languages {
		boards, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			return err
		}
		language := filepath.Base(folder)
		if err := errors.Join(
			mirror(boards, filepath.Join(to, language)),
			writeBoards(boards, filepath.Join(components, language), language),
		); err != nil {
			return err
		}
	}
	return nil
}

const boardsKustomization = `# The Grafana boards, those in observability/grafana/%s, each in a ConfigMap that
# Grafana's sidecar finds by its label. They are for all clusters: take them once.
# Made by make generate.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
configMapGenerator:
`

const boardConfigMap = `  - name: exporter-rocketmq-board-%[1]s
    namespace: monitor
    files:
      - rocketmq-%[1]s.json=%[1]s.json
    options:
      disableNameSuffixHash: true
      labels:
        app: exporter-rocketmq
        grafana_dashboard: "1"
`

// writeBoards makes the component with the boards of a language.
func writeBoards(boards []string, folder, language string) error {
	if err := mirror(boards, folder); err != nil || len(boards) == 0 {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, boardsKustomization, language)
	for _, name := range boards {
		fmt.Fprintf(&text, boardConfigMap, strings.TrimSuffix(filepath.Base(name), ".json"))
	}
	return write(filepath.Join(folder, "kustomization.yaml"), text.String())
}

// mirror makes a folder that has these files and no others.
func mirror(files []string, folder string) error {
	if err := os.RemoveAll(folder); err != nil || len(files) == 0 {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	for _, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		if err := write(filepath.Join(folder, filepath.Base(name)), string(text)); err != nil {
			return err
		}
	}
	return nil
}

const ruleKustomization = `# The recording rules and alerts, for Prometheus' operator. Made by make generate
# from the files in observability/rules.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - prometheus-rule.yaml
`

const ruleHead = `# Made by make generate from the files in observability/rules.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: exporter-rocketmq
  namespace: monitor
  labels:
    app: exporter-rocketmq
`

// writeRule makes the component with the rules of all files in one object.
func writeRule(files []string, folder string) error {
	if err := os.RemoveAll(folder); err != nil || len(files) == 0 {
		return err
	}
	var groups []yaml.Node
	for _, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		var f struct{ Groups []yaml.Node }
		if err := yaml.Unmarshal(text, &f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		groups = append(groups, f.Groups...)
	}
	var out bytes.Buffer
	out.WriteString(ruleHead)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	spec := map[string]any{"spec": map[string]any{"groups": groups}}
	if err := errors.Join(encoder.Encode(spec), encoder.Close()); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	return errors.Join(
		write(filepath.Join(folder, "kustomization.yaml"), ruleKustomization),
		write(filepath.Join(folder, "prometheus-rule.yaml"), out.String()),
	)
}
