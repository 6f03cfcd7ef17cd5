package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/rocketmq-exporter/rocketmq_exporter"

// rule is what one package may import. The standard library is open to all.
type rule struct {
	// own are packages of this module, relative to its root.
	own []string
	// external are modules of others, by path prefix. A package without any
	// stays within the standard library.
	external []string
	// testOwn and testExternal may be imported by the package's tests besides.
	// A test that wants a module which the exporter does not depend on anyway
	// belongs into the nested module test/.
	testOwn      []string
	testExternal []string
	// everything lifts the limits, for the packages that only wire.
	everything bool
}

// Modules that more than one rule names.
const (
	clientGolang     = "github.com/prometheus/client_golang"
	clientModel      = "github.com/prometheus/client_model"
	prometheusCommon = "github.com/prometheus/common"
	exporterToolkit  = "github.com/prometheus/exporter-toolkit"
	cobra            = "github.com/spf13/cobra"
	pflag            = "github.com/spf13/pflag" // cobra's flags
	terminal         = "golang.org/x/term"
	protobuf         = "google.golang.org/protobuf"
	yaml             = "go.yaml.in/yaml"
	automemlimit     = "github.com/KimMachineGun/automemlimit"
	rocketmqClient   = "github.com/apache/rocketmq-client-go/v2"
	prometheusServer = "github.com/prometheus/prometheus"
	grafanaSDK       = "github.com/grafana/grafana-foundation-sdk/go"
	certificateRoots = "golang.org/x/crypto/x509roots/fallback"
	kubernetes       = "k8s.io"
	kubernetesSigs   = "sigs.k8s.io"
	operatorAPI      = "github.com/prometheus-operator/prometheus-operator"
)

// rules is the table of import directions: data flows from the sources on the
// left to the readers on the right, and nothing on the right calls left.
//
//	remoting, fakemq | source -> model -> poll, store, lag -> exposition, web | app, cmd
//
// A package that is not in the table fails the test: adding one is a decision.
// An entry whose package does not exist is no mistake.
var rules = map[string]rule{
	// Public.
	"remoting": {
		testOwn: []string{"fakemq"},
	},
	"fakemq": {
		own: []string{"remoting"},
	},

	// Left: from the wire to a snapshot.
	"internal/model": {},
	"internal/source": {
		own: []string{"internal/model"},
	},
	"internal/source/sourcetest": { // the conformance suite that every source passes
		own: []string{"fakemq", "internal/model", "internal/lag", "internal/source"},
	},
	"internal/source/runtimeinfo": { // what a broker tells of itself, for both sources
		own:     []string{"internal/model"},
		testOwn: []string{"remoting"},
	},
	"internal/source/direct": {
		own:     []string{"remoting", "internal/model", "internal/source", "internal/source/runtimeinfo"},
		testOwn: []string{"fakemq", "internal/source/sourcetest"},
	},
	"internal/source/console": {
		own:     []string{"internal/model", "internal/source", "internal/source/runtimeinfo"},
		testOwn: []string{"fakemq", "remoting", "internal/source/sourcetest", "internal/source/direct"},
	},

	// Middle: from snapshots to a report.
	"internal/poll": {
		own:     []string{"internal/model", "internal/source", "internal/store"},
		testOwn: []string{"fakemq", "internal/source/direct"},
	},
	"internal/store": {
		own: []string{"internal/model"},
	},
	"internal/lag": {
		own:     []string{"internal/model", "internal/store"},
		testOwn: []string{"fakemq", "remoting", "internal/source/direct"},
	},

	// Right: readers of a report.
	"internal/family": {},
	"internal/family/metricsdoc": { // go generate runs it: docs/metrics.md from the table
		own: []string{"internal/family"},
	},
	"internal/exposition": {
		own: []string{"internal/model", "internal/lag", "internal/family", "internal/linezip"},
		// The families are our own writer's; the few metrics about the exporter
		// itself are client_golang's, and follow on the same page.
		external:     []string{clientGolang, prometheusCommon},
		testOwn:      []string{"internal/store"},
		testExternal: []string{clientModel, protobuf},
	},
	"internal/linezip": {},
	"internal/web": {
		own: []string{"internal/model", "internal/lag", "internal/family", "internal/exposition"},
	},
	"internal/listing": { // what the command lag prints
		own: []string{"internal/model", "internal/lag"},
	},

	// Around: settings, wiring, the command.
	"internal/config": {
		own:      []string{"internal/family", "remoting"}, // its type of secrets
		external: []string{yaml},
	},
	"internal/config/configdoc": { // go generate runs it: docs/configuration.md from the table
		own: []string{"internal/config"},
	},
	"internal/config/envfile": { // go generate runs it: the env file of the packages, likewise
		own: []string{"internal/config"},
	},
	"internal/app": {
		everything: true,
	},
	"cmd/rocketmq_exporter": {
		own:      []string{"internal/app", "internal/config", "internal/listing", "fakemq"}, // the demo is a fake cluster
		external: []string{cobra, pflag, terminal, prometheusCommon, exporterToolkit, automemlimit},
	},

	"internal/archtest": {},

	// The nested module observability/: what it makes is files for Prometheus and
	// Grafana, and of the exporter it knows the names.
	"observability/internal/query": {
		own:      []string{"internal/family"},
		external: []string{prometheusServer, prometheusCommon},
	},
	"observability/internal/rule": {
		own:      []string{"observability/internal/query"},
		external: []string{prometheusCommon, yaml},
	},
	"observability/internal/board": {
		own:      []string{"internal/family", "observability/internal/query"},
		external: []string{grafanaSDK},
	},
	"observability/internal/runbook": {
		own: []string{"observability/internal/rule"},
	},
	"observability/internal/circle": { // nothing but tests
		testOwn:      []string{"fakemq", "observability/internal/board", "observability/internal/query", "observability/internal/rule"},
		testExternal: []string{yaml},
	},
	"observability/cmd/boards": {
		own: []string{"observability/internal/board"},
	},
	"observability/cmd/rules": {
		own: []string{"observability/internal/rule"},
	},
	"observability/cmd/runbooks": {
		own: []string{"observability/internal/rule", "observability/internal/runbook"},
	},

	// The nested module deploy/: what makes and tests packages, image, chart and
	// manifests. It knows the exporter as a program.
	"deploy": {},
	"deploy/cmd/cacerts": {
		external: []string{certificateRoots},
	},
	"deploy/cmd/generate": {
		external: []string{yaml},
	},
	"deploy/internal/kube": {
		external: []string{kubernetes, kubernetesSigs, operatorAPI},
	},
	"deploy/internal/ship": {},
	"deploy/test/image":    {own: []string{"deploy/internal/ship"}},
	"deploy/test/packages": {own: []string{"deploy/internal/ship"}},
	"deploy/test/release": {
		own:      []string{"deploy/internal/ship"},
		external: []string{yaml},
	},
	"deploy/test/kubernetes": {
		own:      []string{"deploy/internal/ship", "deploy/internal/kube"},
		external: []string{kubernetes, kubernetesSigs, operatorAPI},
	},

	// A stand-in for a module of others, which calls it.
	"third_party/go-conntrack": {},

	// The nested module test/: the harness that runs a real RocketMQ is a
	// second opinion and knows nothing of the exporter. Other packages there
	// are tests and may import everything.
	"test/realmq": {
		external: []string{rocketmqClient},
	},
}

func (r rule) allows(imported string, inTest bool) bool {
	if r.everything || isStandard(imported) {
		return true
	}
	own, external := r.own, r.external
	if inTest {
		own = slices.Concat(own, r.testOwn)
		external = slices.Concat(external, r.testExternal)
	}
	if rel, ok := within(imported, modulePath); ok {
		return slices.Contains(own, rel)
	}
	return slices.ContainsFunc(external, func(prefix string) bool {
		_, ok := within(imported, prefix)
		return ok
	})
}

// isStandard tells the standard library by its rule that the first element of
// a path has no dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// within returns the part of p below prefix, when p is prefix or lies below it.
func within(p, prefix string) (string, bool) {
	if p == prefix {
		return "", true
	}
	return strings.CutPrefix(p, prefix+"/")
}

func TestImportDirections(t *testing.T) {
	unknown := make(map[string]bool)
	for _, f := range sourceFiles(t, moduleRoot(t)) {
		r, ok := rules[f.pkg]
		if !ok {
			unknown[f.pkg] = true
			continue
		}
		for _, clause := range f.imports {
			if f.isTest && clause.path == path.Join(modulePath, f.pkg) {
				continue // an external test and what it tests
			}
			if !r.allows(clause.path, f.isTest) {
				t.Errorf("%s:%d: %s must not import %s (see the table rules)", f.name, clause.line, f.pkg, clause.path)
			}
		}
	}
	for pkg := range unknown {
		if !strings.HasPrefix(pkg, "test/") {
			t.Errorf("package %s is not in the table rules", pkg)
		}
	}
}

// TestRulesHaveNoTypos finds rows that can never match.
func TestRulesHaveNoTypos(t *testing.T) {
	for pkg, r := range rules {
		for _, own := range slices.Concat(r.own, r.testOwn) {
			if _, ok := rules[own]; !ok {
				t.Errorf("the row of %s names %s, which has no row", pkg, own)
			}
			if own == pkg {
				t.Errorf("the row of %s names itself", pkg)
			}
		}
	}
}

// TestRulesAreHeld makes sure that the check can fail at all.
func TestRulesAreHeld(t *testing.T) {
	tests := []struct {
		pkg, imported string
		inTest, want  bool
	}{
		{pkg: "remoting", imported: "net/http", want: true},
		{pkg: "remoting", imported: modulePath + "/fakemq", want: false},
		{pkg: "remoting", imported: modulePath + "/fakemq", inTest: true, want: true},
		{pkg: "internal/lag", imported: modulePath + "/internal/model", want: true},
		{pkg: "internal/lag", imported: modulePath + "/internal/source", want: false},
		{pkg: "internal/lag", imported: modulePath, want: false},
		{pkg: "internal/lag", imported: clientGolang + "/prometheus", want: false},
		{pkg: "internal/exposition", imported: protobuf + "/proto", want: false},
		{pkg: "internal/exposition", imported: protobuf + "/proto", inTest: true, want: true},
		{pkg: "internal/config", imported: yaml + "/v4", want: true},
		{pkg: "internal/config", imported: yaml + "x", want: false},
		{pkg: "internal/app", imported: "example.org/anything", want: true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s imports %s, test=%t", tt.pkg, tt.imported, tt.inTest), func(t *testing.T) {
			if got := rules[tt.pkg].allows(tt.imported, tt.inTest); got != tt.want {
				t.Errorf("allowed = %t, want %t", got, tt.want)
			}
		})
	}
}

// sourceFile is one Go file and what it imports.
type sourceFile struct {
	name    string // relative to the module's root, with slashes
	pkg     string // its folder, likewise
	isTest  bool
	imports []importClause
}

type importClause struct {
	path string
	line int
}

// sourceFiles reads the import clauses of every Go file below root, whatever
// its build constraints. An external test package counts as tests of the
// package in whose folder it is.
func sourceFiles(t *testing.T, root string) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && isIgnored(d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(d.Name(), ".go"):
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		clauses, err := importClauses(name)
		if err != nil {
			return err
		}
		files = append(files, sourceFile{
			name:    rel,
			pkg:     path.Dir(rel),
			isTest:  strings.HasSuffix(rel, "_test.go"),
			imports: clauses,
		})
		return nil
	})
	if err != nil {
		t.Fatalf("reading the module's source: %v", err)
	}
	return files
}

// isIgnored tells the folders that the go command passes over.
func isIgnored(folder string) bool {
	return folder == "testdata" || folder == "vendor" || strings.HasPrefix(folder, ".") || strings.HasPrefix(folder, "_")
}

func importClauses(name string) ([]importClause, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var clauses []importClause
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		clauses = append(clauses, importClause{path: imported, line: fset.Position(spec.Pos()).Line})
	}
	return clauses, nil
}

// moduleRoot is the nearest folder above the test that has a go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
