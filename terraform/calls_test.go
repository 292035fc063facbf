package terraform_test

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

const services = "github.com/aws/aws-sdk-go-v2/service/"

// callers is the code that calls AWS: the adapters, and what the functions add to them.
var callers = []string{
	"./pkg/dr/aurora", "./pkg/dr/dynamo", "./pkg/dr/cloudwatch", "./pkg/dr/notify",
	"./lambdas/function/...", "./lambdas/internal/...",
}

// load reads their packages once for all tests.
var load = sync.OnceValues(func() ([]*packages.Package, error) {
	return packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps | packages.NeedFiles | packages.NeedCompiledGoFiles,
		Dir:  "..",
	}, callers...)
})

// awsCalls reads the callers' code: for each exported method, such as
// "dynamo.Store.RenewLease", the IAM actions of the AWS calls that it can reach.
func awsCalls(t *testing.T) map[string][]string {
	t.Helper()
	loaded, err := load()
	require.NoError(t, err)
	require.Greater(t, len(loaded), len(callers), "a pattern stands for several packages")
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
						// What a type of the package's own only passes on is that method's.
						if public(self) || !public(next) {
							visit(next)
						}
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

// public reports whether others can call a method by its name.
func public(f *types.Func) bool {
	recv := f.Signature().Recv()
	if recv == nil || !f.Exported() {
		return false
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Exported()
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

// otherwise are the calls whose action has another name (Service Authorization
// Reference).
var otherwise = map[string]string{"lambda:Invoke": "lambda:InvokeFunction"}

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
			if action := otherwise[service+":"+f.Name()]; action != "" {
				return action
			}
			return service + ":" + f.Name()
		}
	}
	return ""
}
