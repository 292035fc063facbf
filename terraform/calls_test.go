package terraform_test

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

const (
	adapters = "github.com/lifeboat-dr/lifeboat/pkg/dr/"
	services = "github.com/aws/aws-sdk-go-v2/service/"
)

// awsCalls reads the adapters' code: for each exported method, such as
// "dynamo.Store.RenewLease", the IAM actions of the AWS calls that it can reach.
func awsCalls(t *testing.T) map[string][]string {
	t.Helper()
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps | packages.NeedFiles | packages.NeedCompiledGoFiles,
		Dir:  "..",
	}, adapters+"aurora", adapters+"dynamo", adapters+"cloudwatch", adapters+"notify")
	require.NoError(t, err)
	require.Len(t, loaded, 4)
	out := map[string][]string{}
	for _, p := range loaded {
		require.Empty(t, p.Errors, p.PkgPath)
		calls := map[*types.Func][]string{}      // AWS calls of a function's own body
		reach := map[*types.Func][]*types.Func{} // what it mentions in its package
		for _, f := range p.Syntax {
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				self := p.TypesInfo.Defs[fn.Name].(*types.Func)
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					id, ok := n.(*ast.Ident)
					if !ok {
						return true
					}
					callee, ok := p.TypesInfo.Uses[id].(*types.Func)
					if !ok {
						return true
					}
					if action := iamAction(callee); action != "" {
						calls[self] = append(calls[self], action)
					} else if callee.Pkg() == p.Types {
						reach[self] = append(reach[self], callee)
					}
					return true
				})
			}
		}
		for self := range mergeKeys(calls, reach) {
			recv := self.Signature().Recv()
			if recv == nil || !self.Exported() {
				continue
			}
			name := types.TypeString(recv.Type(), func(*types.Package) string { return "" })
			name = p.Name + "." + strings.TrimPrefix(name, "*") + "." + self.Name()
			seen := map[*types.Func]bool{}
			var visit func(*types.Func)
			visit = func(f *types.Func) {
				if !seen[f] {
					seen[f] = true
					out[name] = append(out[name], calls[f]...)
					for _, next := range reach[f] {
						visit(next)
					}
				}
			}
			visit(self)
			if len(out[name]) == 0 {
				delete(out, name)
				continue
			}
			slices.Sort(out[name])
			out[name] = slices.Compact(out[name])
		}
	}
	return out
}

func mergeKeys(a map[*types.Func][]string, b map[*types.Func][]*types.Func) map[*types.Func]bool {
	out := map[*types.Func]bool{}
	for f := range a {
		out[f] = true
	}
	for f := range b {
		out[f] = true
	}
	return out
}

// iamAction returns the action of a method that takes the input of an AWS call: that
// is how the SDK's clients and the adapters' narrow interfaces over them look.
func iamAction(f *types.Func) string {
	for v := range f.Signature().Params().Variables() {
		p, ok := v.Type().(*types.Pointer)
		if !ok {
			continue
		}
		named, ok := p.Elem().(*types.Named)
		if !ok || named.Obj().Pkg() == nil {
			continue
		}
		service, ok := strings.CutPrefix(named.Obj().Pkg().Path(), services)
		if ok && f.Signature().Recv() != nil && named.Obj().Name() == f.Name()+"Input" {
			return service + ":" + f.Name()
		}
	}
	return ""
}
