package failover_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// sources are the functions of the package and the values of its codes, as written.
type sources struct {
	funcs map[string][]*ast.FuncDecl
	codes map[string]failover.Code
	names map[string]failover.State
}

func readSources(t *testing.T) sources {
	t.Helper()
	s := sources{map[string][]*ast.FuncDecl{}, map[string]failover.Code{}, map[string]failover.State{}}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				s.funcs[n.Name.Name] = append(s.funcs[n.Name.Name], n)
			case *ast.ValueSpec:
				kind, _ := n.Type.(*ast.Ident)
				if kind == nil || len(n.Values) != 1 {
					return true
				}
				lit, _ := n.Values[0].(*ast.BasicLit)
				if lit == nil {
					return true
				}
				value, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				switch kind.Name {
				case "Code":
					s.codes[n.Names[0].Name] = failover.Code(value)
				case "State":
					s.names[n.Names[0].Name] = failover.State(value)
				}
			}
			return true
		})
	}
	return s
}

// stuckAt reads from the effects of the states, and from everything that they call, for
// what a person can be asked in each.
func (s sources) stuckAt(t *testing.T) map[failover.State][]failover.Code {
	t.Helper()
	out := map[failover.State][]failover.Code{}
	for _, f := range s.funcs["perform"] {
		ast.Inspect(f, func(n ast.Node) bool {
			c, is := n.(*ast.CaseClause)
			if !is || len(c.List) != 1 {
				return true
			}
			name, _ := c.List[0].(*ast.Ident)
			if name == nil || s.names[name.Name] == "" || s.names[name.Name] == failover.AwaitingApproval {
				return true
			}
			codes, seen := map[failover.Code]bool{}, map[string]bool{}
			for _, st := range c.Body {
				s.collect(st, codes, seen)
			}
			// Only what AWS is asked for can be refused by it. A name service and a database can't.
			if state := s.names[name.Name]; state == failover.Confirmed || state == failover.Promoted || state == failover.Verified {
				delete(codes, failover.CodePromotionRefused)
			}
			out[s.names[name.Name]] = slices.Sorted(maps.Keys(codes))
			return true
		})
	}
	return out
}

func (s sources) collect(n ast.Node, codes map[failover.Code]bool, seen map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := called(n)
			if name == "attempt" || name == "attemptFor" || name == "stuck" {
				for _, a := range n.Args {
					s.add(a, codes)
				}
			}
			if !seen[name] {
				seen[name] = true
				for _, f := range s.funcs[name] {
					s.collect(f.Body, codes, seen)
				}
			}
		case *ast.CompositeLit:
			stuck := false
			for _, e := range n.Elts {
				if kv, is := e.(*ast.KeyValueExpr); is {
					v, _ := kv.Value.(*ast.Ident)
					stuck = stuck || v != nil && v.Name == "EvStuck"
				}
			}
			for _, e := range n.Elts {
				if kv, is := e.(*ast.KeyValueExpr); is && stuck {
					s.add(kv.Value, codes)
				}
			}
		}
		return true
	})
}

func (s sources) add(e ast.Expr, codes map[failover.Code]bool) {
	if id, is := e.(*ast.Ident); is && s.codes[id.Name] != "" {
		codes[s.codes[id.Name]] = true
	}
}

// called is the name of a function of the package, or of a method of the controller.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, is := f.X.(*ast.Ident); is && x.Name == "c" {
			return f.Sel.Name
		}
	}
	return ""
}

// begins are executions before they have begun: what the gate asks about is in the evidence.
func begins() []failover.Execution {
	out := []failover.Execution{whole(failover.Steady)}
	for _, code := range slices.Sorted(maps.Keys(spoiled)) {
		x := whole(failover.Steady)
		spoiled[code](&dr.Policy{}, &x)
		out = append(out, x)
	}
	blind := whole(failover.Steady)
	blind.Evidence.Blind = true
	out = append(out, blind)
	for i := range out {
		out[i].Evidence.Why = "why"
	}
	return out
}

// asked walks the real Step from every beginning and returns every execution that asks, once
// for each state that asks, mode, code and proof of the fence.
func asked(t *testing.T) []failover.Execution {
	t.Helper()
	stuck := readSources(t).stuckAt(t)
	var out []failover.Execution
	seen, put := map[string]bool{}, map[string]bool{}
	for i, todo := 0, begins(); i < len(todo); i++ {
		x := todo[i]
		key := fmt.Sprint(x.State, x.Asked, x.Code, x.Mode, x.Proof, x.Ack != nil, x.Evidence)
		if seen[key] {
			continue
		}
		seen[key] = true
		if k := fmt.Sprint(x.Asked, x.Mode, x.Code, x.Proof); x.State == failover.AwaitingApproval && !put[k] {
			put[k] = true
			out = append(out, x)
		}
		for _, k := range failover.Kinds() {
			for _, e := range eventsOf(k, x, stuck[x.State]) {
				next, err := failover.Step(dr.Policy{}, x, e)
				var refused *failover.Refusal
				if err != nil {
					require.True(t, errors.As(err, &refused))
					continue
				}
				todo = append(todo, next)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b failover.Execution) int {
		if n := slices.Index(failover.States(), a.Asked) - slices.Index(failover.States(), b.Asked); n != 0 {
			return n
		}
		return strings.Compare(fmt.Sprint(a.Mode, a.Code, a.Proof), fmt.Sprint(b.Mode, b.Code, b.Proof))
	})
	return out
}

// eventsOf are the events of a kind that an execution can meet.
func eventsOf(k failover.Kind, x failover.Execution, stuck []failover.Code) (out []failover.Event) {
	e := failover.Event{Kind: k, Detail: "what was seen", Epoch: 2, Rev: 10, Unchanged: 2 * time.Second}
	switch k {
	case failover.EvPaused, failover.EvResumed, failover.EvTold, failover.EvEndorsed, failover.EvSuspected, failover.EvCleared:
		return nil // they ask nothing
	case failover.EvStuck:
		for _, c := range stuck {
			e.Code = c
			out = append(out, e)
		}
		return out
	case failover.EvFenceProven:
		for _, p := range []failover.ProofKind{failover.ProofAcknowledged, failover.ProofExpired} {
			e.Proof = p
			out = append(out, e)
		}
		return out
	case failover.EvAcknowledged:
		e.Ack = &failover.Acknowledgement{Execution: x.ID, Question: x.Question.ID, By: "ops", Reason: "go"}
	}
	return []failover.Event{e}
}

// TestTheCodesOfEachState: what the pages' tests are derived from.
func TestTheCodesOfEachState(t *testing.T) {
	s := readSources(t)
	require.Equal(t, map[failover.State][]failover.Code{
		failover.Confirmed:    {failover.CodeLeaseStoreStuck, failover.CodeMovedElsewhere, failover.CodeTargetNotReady, failover.CodeWriterUnknown},
		failover.EpochTaken:   {failover.CodeFenceFailed, failover.CodeNoFenceProof},
		failover.Fenced:       nil,
		failover.LossAccepted: {failover.CodeMovedElsewhere, failover.CodePromotionRefused, failover.CodePromotionStuck, failover.CodeWriterUnknown},
		failover.Promoted:     {failover.CodeVerifyStuck, failover.CodeWriterUnknown},
		failover.Verified:     {failover.CodeRedirectStuck, failover.CodeWriterUnknown},
		failover.Redirected:   nil,
		failover.Returning:    {failover.CodePromotionRefused, failover.CodeReturnStuck, failover.CodeWriterUnknown},
	}, s.stuckAt(t))
	// Every code is asked about, or ends an execution or a request.
	ends := []failover.Code{failover.CodeRecovered, failover.CodeAbortRequested, failover.CodePaused}
	var all []failover.Code
	for _, x := range asked(t) {
		all = append(all, x.Code)
	}
	for name, c := range s.codes {
		require.NotEqual(t, slices.Contains(ends, c), slices.Contains(all, c), "%s", name)
	}
}
