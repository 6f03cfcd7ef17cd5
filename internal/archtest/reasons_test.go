package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReasonsAreExplained: docs/metrics.md has a line for every value of the label
// reason, for who is woken by it, and no other.
func TestReasonsAreExplained(t *testing.T) {
	said := make(map[string]bool)
	for _, dir := range []string{"remoting", "internal"} {
		err := filepath.WalkDir(filepath.Join(moduleRoot(t), dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err == nil {
				findReasons(file, said)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	doc, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n### Reasons\n")
	section, _, _ = strings.Cut(section, "\n#")
	var explained []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(section, -1) {
		explained = append(explained, m[1])
		if !said[m[1]] {
			t.Errorf("nothing fails for the reason %q", m[1])
		}
	}
	for word := range said {
		if !slices.Contains(explained, word) {
			t.Errorf("the reason %q is not explained", word)
		}
	}
	if len(said) < 20 {
		t.Errorf("only %d reasons were found", len(said))
	}
}

// findReasons finds what the functions that sort errors return, and the constants
// that are called reasons.
func findReasons(file *ast.File, said map[string]bool) {
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if word, err := strconv.Unquote(lit.Value); err == nil && word != "" {
				said[word] = true
			}
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if !slices.Contains([]string{"Reason", "reason", "access"}, d.Name.Name) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
					note(r.Results[0])
				}
				return true
			})
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST && strings.HasPrefix(strings.ToLower(v.Names[0].Name), "reason") {
					for _, value := range v.Values {
						note(value)
					}
				}
			}
		}
	}
}
