package render

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// root is one unit's root module.
type root struct {
	unit      infra.Unit
	about     string
	bucket    string // where the state is kept
	key       string
	stateKey  string // KMS key of the bucket, by its alias
	account   string // the only account that may be touched; empty: any
	providers []provider
	variables []variable
	data      []source // data sources without arguments, such as aws_caller_identity.current
	calls     []call
	outputs   []output
}

// provider is one AWS provider; the default one has no alias.
type provider struct {
	alias  string
	region source
}

// variable has a value of the config, or none: then it is the outputs of the unit
// that it is named after.
type variable struct {
	name, about string
	kind        source
	value       cty.Value
}

// call is a module call.
type call struct {
	name, path, about string
	providers         []argument
	arguments         []argument
}

type argument struct {
	name  string
	value source
}

type output struct {
	name, about string
	value       source
}

const header = "Rendered by Lifeboat from its config. Change the config and render again; what you change here is overwritten."

// files returns the root's files by name.
func (r root) files(modules string) map[string][]byte {
	out := map[string][]byte{
		"versions.tf":  r.versions(),
		"providers.tf": r.provider(),
		"main.tf":      r.main(modules),
	}
	if len(r.variables) > 0 {
		out["variables.tf"] = r.declarations()
		out["terraform.tfvars"] = r.values()
	}
	if len(r.outputs) > 0 {
		out["outputs.tf"] = r.results()
	}
	return out
}

func (r root) versions() []byte {
	return file(header, func(b *hclwrite.Body) {
		tf := b.AppendNewBlock("terraform", nil).Body()
		tf.SetAttributeValue("required_version", cty.StringVal(">= 1.11"))
		tf.AppendNewline()
		req := tf.AppendNewBlock("required_providers", nil).Body()
		req.SetAttributeRaw("aws", source(`{
			source  = "hashicorp/aws"
			version = "~> 6.25"
		}`).tokens())
		tf.AppendNewline()
		s3 := tf.AppendNewBlock("backend", []string{"s3"}).Body()
		s3.SetAttributeValue("bucket", cty.StringVal(r.bucket))
		s3.SetAttributeValue("key", cty.StringVal(r.key))
		s3.SetAttributeValue("region", cty.StringVal(r.unit.StateRegion.String()))
		s3.SetAttributeValue("encrypt", cty.True)
		// Without a key Terraform asks for AES256, which the bucket refuses.
		s3.SetAttributeValue("kms_key_id", cty.StringVal(r.stateKey))
		s3.SetAttributeValue("use_lockfile", cty.True)
	})
}

func (r root) provider() []byte {
	return file("", func(b *hclwrite.Body) {
		for i, p := range r.providers {
			if i > 0 {
				b.AppendNewline()
			}
			body := b.AppendNewBlock("provider", []string{"aws"}).Body()
			if p.alias != "" {
				body.SetAttributeValue("alias", cty.StringVal(p.alias))
			}
			body.SetAttributeRaw("region", p.region.tokens())
			if r.account != "" {
				body.SetAttributeRaw("allowed_account_ids", source("[var.account_id]").tokens())
			}
			body.AppendNewline()
			body.AppendNewBlock("default_tags", nil).Body().SetAttributeRaw("tags", source("var.default_tags").tokens())
		}
	})
}

func (r root) main(modules string) []byte {
	return file(r.about, func(b *hclwrite.Body) {
		for i, d := range r.data {
			if i > 0 {
				b.AppendNewline()
			}
			b.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: fmt.Appendf(nil, "data %q \"current\" {}\n", d)}})
		}
		for i, c := range r.calls {
			if i+len(r.data) > 0 {
				b.AppendNewline()
			}
			if c.about != "" {
				comment(b, c.about)
			}
			body := b.AppendNewBlock("module", []string{c.name}).Body()
			body.SetAttributeValue("source", cty.StringVal(modules+"/"+c.path))
			if len(c.providers) > 0 {
				attrs := make([]hclwrite.ObjectAttrTokens, len(c.providers))
				for i, p := range c.providers {
					attrs[i] = hclwrite.ObjectAttrTokens{Name: source(p.name).tokens(), Value: p.value.tokens()}
				}
				body.SetAttributeRaw("providers", hclwrite.TokensForObject(attrs))
			}
			body.AppendNewline()
			for _, a := range c.arguments {
				body.SetAttributeRaw(a.name, a.value.tokens())
			}
		}
	})
}

func (r root) declarations() []byte {
	return file("", func(b *hclwrite.Body) {
		for i, v := range r.variables {
			if i > 0 {
				b.AppendNewline()
			}
			body := b.AppendNewBlock("variable", []string{v.name}).Body()
			body.SetAttributeRaw("type", v.kind.tokens())
			body.SetAttributeValue("description", cty.StringVal(v.about))
		}
	})
}

func (r root) values() []byte {
	return file(header, func(b *hclwrite.Body) {
		for _, v := range r.variables {
			if v.value != cty.NilVal {
				b.SetAttributeRaw(v.name, value(v.value))
			}
		}
	})
}

func (r root) results() []byte {
	return file("", func(b *hclwrite.Body) {
		for i, o := range r.outputs {
			if i > 0 {
				b.AppendNewline()
			}
			body := b.AppendNewBlock("output", []string{o.name}).Body()
			body.SetAttributeValue("description", cty.StringVal(o.about))
			body.SetAttributeRaw("value", o.value.tokens())
		}
	})
}

// file writes one file, canonically formatted.
func file(about string, write func(*hclwrite.Body)) []byte {
	f := hclwrite.NewEmptyFile()
	if about != "" {
		comment(f.Body(), about)
		f.Body().AppendNewline()
	}
	write(f.Body())
	return append(bytes.TrimRight(hclwrite.Format(f.Bytes()), "\n"), '\n')
}
