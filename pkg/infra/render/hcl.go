package render

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// source is an expression in HCL's own syntax. Only this package's constants become
// one: what comes from a config is a cty.Value, so that a "${" in it stays text.
type source string

// tokens lexes an expression. It panics on a syntax error, which is a mistake in
// this package and found by every test.
func (s source) tokens() hclwrite.Tokens {
	file, diags := hclwrite.ParseConfig([]byte("x = "+string(s)+"\n"), "expression", hcl.InitialPos)
	if diags.HasErrors() {
		panic(fmt.Sprintf("render: expression %q: %s", s, diags.Error()))
	}
	return file.Body().GetAttribute("x").Expr().BuildTokens(nil)
}

// list returns a list of values, one a line: hclwrite would put it on one line
// however long it is.
func list(v cty.Value) hclwrite.Tokens {
	if v.LengthInt() < 2 {
		return hclwrite.TokensForValue(v)
	}
	out := hclwrite.Tokens{punct(hclsyntax.TokenOBrack, "["), newline()}
	for it := v.ElementIterator(); it.Next(); {
		_, item := it.Element()
		out = append(out, hclwrite.TokensForValue(item)...)
		out = append(out, punct(hclsyntax.TokenComma, ","), newline())
	}
	return append(out, punct(hclsyntax.TokenCBrack, "]"))
}

// value returns the tokens of a config's value.
func value(v cty.Value) hclwrite.Tokens {
	if !v.IsNull() && (v.Type().IsListType() || v.Type().IsTupleType()) {
		return list(v)
	}
	return hclwrite.TokensForValue(v)
}

// comment writes a comment of its own, folded at the width of the house.
func comment(body *hclwrite.Body, text string) {
	for _, line := range fold(text, 90) {
		body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + line + "\n")}})
	}
}

func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func punct(t hclsyntax.TokenType, s string) *hclwrite.Token {
	return &hclwrite.Token{Type: t, Bytes: []byte(s)}
}

func newline() *hclwrite.Token { return punct(hclsyntax.TokenNewline, "\n") }
