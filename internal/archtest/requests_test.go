package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// requestsThatOnlyRead lists what the exporter may ask of a cluster, by the
// numbers of RocketMQ's RequestCode. Nothing else may be sent: a monitor that
// changes what it looks at is worse than none. Before a line is added, read
// the code that serves it (AdminBrokerProcessor, DefaultRequestProcessor,
// ConsumerManageProcessor, ClientManageProcessor) in both 4.9 and 5.x. Some
// sound like reads and are not: a pull (11) and 352 create unknown groups, 308
// deletes offsets, 322 keeps a dead broker alive at the name server.
var requestsThatOnlyRead = map[int64]string{
	21:  "GET_ALL_TOPIC_CONFIG",
	28:  "GET_BROKER_RUNTIME_INFO",
	38:  "GET_CONSUMER_LIST_BY_GROUP",
	43:  "GET_ALL_CONSUMER_OFFSET",
	105: "GET_ROUTEINFO_BY_TOPIC",
	106: "GET_BROKER_CLUSTER_INFO",
	201: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
	202: "GET_TOPIC_STATS_INFO",
	203: "GET_CONSUMER_CONNECTION_LIST",
	204: "GET_PRODUCER_CONNECTION_LIST",
	206: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
	208: "GET_CONSUME_STATS",
	224: "GET_TOPICS_BY_CLUSTER",
	300: "QUERY_TOPIC_CONSUME_BY_WHO",
	303: "QUERY_CONSUME_TIME_SPAN",
	305: "GET_SYSTEM_TOPIC_LIST_FROM_BROKER",
	307: "GET_CONSUMER_RUNNING_INFO",
	315: "VIEW_BROKER_STATS_DATA",
	317: "GET_BROKER_CONSUME_STATS",
	328: "GET_ALL_PRODUCER_INFO",
	402: "GET_ALL_MESSAGE_REQUEST_MODE",
	907: "GET_BROKER_HA_STATUS",
}

// TestNothingIsWritten looks at every constant of type remoting.RequestCode in
// the code that ends up in the exporter, whether it is named or only a number
// that becomes one, and at every number that is turned into one at run time.
// fakemq is let off: it answers requests and must know all that it may meet.
func TestNothingIsWritten(t *testing.T) {
	const (
		remotingPath = modulePath + "/remoting"
		fakemqPath   = modulePath + "/fakemq"
	)
	packages := listPackages(t)
	exports := make(map[string]string)
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	constants := 0
	for _, p := range packages {
		if _, ok := within(p.ImportPath, modulePath); !ok || p.ImportPath == fakemqPath {
			continue
		}
		expressions := typeCheck(t, fset, imp, p)
		for expr, tv := range expressions {
			if !isRequestCode(tv.Type, remotingPath) {
				continue
			}
			switch {
			case tv.IsType():
			case tv.Value != nil:
				constants++
				code, _ := constant.Int64Val(tv.Value)
				if requestsThatOnlyRead[code] == "" {
					t.Errorf("%s: request code %d is not in the table requestsThatOnlyRead", fset.Position(expr.Pos()), code)
				}
			case isConversion(expr, expressions) && p.ImportPath != remotingPath:
				t.Errorf("%s: a request code made at run time cannot be held against a table", fset.Position(expr.Pos()))
			}
		}
	}
	if constants == 0 {
		t.Error("no request code was found: this test has lost its subject")
	}
}

func isRequestCode(t types.Type, remotingPath string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "RequestCode" &&
		named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == remotingPath
}

func isConversion(expr ast.Expr, expressions map[ast.Expr]types.TypeAndValue) bool {
	call, ok := expr.(*ast.CallExpr)
	return ok && expressions[call.Fun].IsType()
}

// listedPackage is the part of go list's answer that is used here.
type listedPackage struct {
	ImportPath string
	Dir        string
	Export     string // file with what importers need to know
	GoFiles    []string
}

// listPackages returns the packages of this module and all that they import.
func listPackages(t *testing.T) []*listedPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...")
	cmd.Dir = moduleRoot(t)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []*listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(listedPackage)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list's answer: %v", err)
		}
		packages = append(packages, p)
	}
}

// typeCheck returns the type, and for constants the value, of every expression
// of a package.
func typeCheck(t *testing.T, fset *token.FileSet, imp types.Importer, p *listedPackage) map[ast.Expr]types.TypeAndValue {
	t.Helper()
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	expressions := make(map[ast.Expr]types.TypeAndValue)
	config := types.Config{Importer: imp}
	if _, err := config.Check(p.ImportPath, fset, files, &types.Info{Types: expressions}); err != nil {
		t.Fatalf("type-checking %s: %v", p.ImportPath, err)
	}
	return expressions
}
