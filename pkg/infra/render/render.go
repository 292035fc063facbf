package render

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/terraform"
)

// Options say how the rendering is laid out.
type Options struct {
	// Modules is where a unit's folder finds the modules. Default "../modules"; then
	// they are part of the files. Any other source is expected to exist.
	Modules string
}

// Files holds a rendering: content by path, which is relative and has slashes.
type Files map[string][]byte

// Render writes one Terraform root per unit. The config is validated first, with
// every problem reported at once.
func Render(c infra.Config, o Options) (Files, error) {
	c = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	policy, err := policyValue(c.Policy)
	if err != nil {
		return nil, fmt.Errorf("render: policy: %w", err)
	}
	b := builder{c: c, policy: policy}
	out := Files{"README.md": b.readme()}
	modules := o.Modules
	if modules == "" {
		modules = "../modules"
		if err := addModules(out); err != nil {
			return nil, err
		}
	}
	for _, u := range c.Units() {
		for name, data := range b.root(u).files(modules) {
			out[u.Name+"/"+name] = data
		}
	}
	return out, nil
}

// policyValue writes the whole policy out, so that what the Lambdas keep to can be
// read here and doesn't change with a default of a later version.
func policyValue(p dr.Policy) (cty.Value, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return cty.NilVal, err
	}
	kind, err := ctyjson.ImpliedType(data)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(data, kind)
}

// addModules adds the hand-written modules without their tests.
func addModules(out Files) error {
	return fs.WalkDir(terraform.Modules, "modules", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "tests" {
				return fs.SkipDir
			}
			return nil
		}
		out[path], err = fs.ReadFile(terraform.Modules, path)
		return err
	})
}

// PackagePath is where a unit's folder finds the zip of a Lambda function.
func PackagePath(function, architecture string) string {
	return "../packages/" + function + "-" + architecture + ".zip"
}

// builder holds what every unit is written from.
type builder struct {
	c      infra.Config
	policy cty.Value
}

// varName is infra.Unit.VarName for a unit by its name.
func varName(unit string) string { return infra.Unit{Name: unit}.VarName() }

const account = source("data.aws_caller_identity.current.account_id")

func (b builder) root(u infra.Unit) root {
	r := root{
		unit:   u,
		bucket: fmt.Sprintf("%s-%s", b.c.StateBucket, u.StateRegion),
		key:    fmt.Sprintf("%s/%s.tfstate", b.c.EnvironmentSuffix, u.Name),

		stateKey:  "alias/" + b.c.Name() + "-state", // made by the module state
		account:   b.c.AccountID,
		providers: []provider{{region: source(fmt.Sprintf("%q", u.Region))}},
		data:      []source{"aws_caller_identity"},
		variables: []variable{
			{"name", "Prefix of every name.", "string", cty.StringVal(b.c.Name())},
			{"default_tags", "Tags of everything.", "map(string)", b.tags()},
		},
	}
	if b.c.AccountID != "" {
		r.variables = append(r.variables, variable{"account_id", "The only account that may be touched.", "string", cty.StringVal(b.c.AccountID)})
	}
	switch u.Kind {
	case infra.KindState:
		b.state(&r)
	case infra.KindGlobal:
		b.global(&r)
	case infra.KindRegion:
		b.region(&r)
	case infra.KindWitness:
		b.witnessRegion(&r)
	case infra.KindLink:
		b.link(&r)
	}
	return r
}

// tags are the config's, and one by which everything of a deployment is found.
func (b builder) tags() cty.Value {
	out := map[string]cty.Value{infra.EnvironmentTag: cty.StringVal(b.c.EnvironmentSuffix)}
	for k, v := range b.c.DefaultTags {
		out[k] = cty.StringVal(v)
	}
	return cty.MapVal(out)
}

func (b builder) readme() []byte {
	var s strings.Builder
	fmt.Fprintf(&s, "# %s\n\nRendered by Lifeboat from its config; rendering again overwrites these files, takes strange .tf files out of `modules`, and touches nothing else.\n\n", b.c.Name())
	s.WriteString("Each folder is a Terraform root with a state of its own. In order:\n\n| unit | stands in | state | takes the outputs of |\n|---|---|---|---|\n")
	for _, u := range b.c.Units() {
		where := make([]string, len(u.Regions))
		for i, r := range u.Regions {
			where[i] = r.String()
		}
		needs := "–"
		if len(u.Needs) > 0 {
			needs = strings.Join(u.Needs, ", ")
		}
		fmt.Fprintf(&s, "| `%s` | %s | `%s-%s` | %s |\n", u.Name, strings.Join(where, ", "), b.c.StateBucket, u.StateRegion, needs)
	}
	s.WriteString(`
Without Lifeboat: in each folder ` + "`terraform init`, `plan` and `apply`" + `. A unit that takes outputs of another one reads them from
` + "`<that unit>.auto.tfvars.json`" + `: one object, named after the unit with underscores, holding the values of its ` + "`terraform output -json`" + `.
The unit ` + "`state`" + ` creates the bucket that its own state is kept in: apply it once with a local backend, then ` + "`terraform init -migrate-state`" + `.
`)
	return []byte(s.String())
}
