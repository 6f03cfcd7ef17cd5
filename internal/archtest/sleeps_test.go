package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// TestNobodySleeps finds calls of time.Sleep, in both modules. In the exporter
// a pause is a timer that ends with its context; in a test it is an event that
// is awaited, or a condition polled to a deadline. Only where the clock is a
// fake one may a test sleep: in files that use testing/synctest.
func TestNobodySleeps(t *testing.T) {
	root := moduleRoot(t)
	for _, f := range sourceFiles(t, root) {
		if !f.uses("time") || f.isTest && f.uses("testing/synctest") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join(root, filepath.FromSlash(f.name)), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
					t.Errorf("%s:%d: time.Sleep: wait for the event instead", f.name, fset.Position(n.Pos()).Line)
				}
			}
			return true
		})
	}
}

func (f sourceFile) uses(imported string) bool {
	return slices.ContainsFunc(f.imports, func(c importClause) bool { return c.path == imported })
}
