// Command deploy turns a config file into Terraform for both Regions, and plans,
// applies or destroys it.
//
// Without a verb it renders and stops. Its exit status is 0 when everything that was
// asked for is done, 1 when it failed on the way, 2 when it could not begin.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/render"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// The exit statuses.
const (
	exitDone = iota
	exitFailed
	exitNotBegun
)

func main() {
	c := console{in: bufio.NewReader(os.Stdin), out: os.Stdout, err: os.Stderr}
	c.interactive = term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	os.Exit(run(context.Background(), os.Args[1:], c))
}

// console is what the program talks to.
type console struct {
	in          *bufio.Reader
	out, err    io.Writer
	interactive bool
}

// verb is what is done after rendering.
type verb int

const (
	rendering verb = iota
	planning
	applying
	destroying
)

// options are the command line.
type options struct {
	config, dir    string
	verb           verb
	account        string
	units, allow   list
	writer         string
	buckets, yes   bool
	terraform      string
	install, local bool
}

// hasFunctions reports whether a unit that is asked for holds Lambda functions.
func (o options) hasFunctions(c infra.Config) bool {
	return slices.ContainsFunc(c.Units(), func(u infra.Unit) bool {
		holds := u.Kind == infra.KindRegion || u.Kind == infra.KindWitness
		return holds && (len(o.units) == 0 || slices.Contains(o.units, u.Name))
	})
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, strings.Split(s, ",")...); return nil }

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("deploy", flag.ContinueOnError)
	f.SetOutput(w)
	f.StringVar(&o.config, "config", "", "config `file`, YAML or JSON; examples/deploy/default.yaml shows every key")
	f.StringVar(&o.dir, "out", "build/tf", "`folder` to render into; states and plans stay there between runs")
	plan := f.Bool("plan", false, "plan every unit, and stop")
	apply := f.Bool("apply", false, "plan, check and apply every unit in order")
	destroy := f.Bool("destroy", false, "destroy every unit in the reverse order; the state buckets stay")
	f.StringVar(&o.account, "account", "", "`id` of the AWS account that may be changed; -apply and -destroy ask for it when it isn't given")
	f.Var(&o.units, "unit", "only this `unit`, such as region-us-west-2; may be given more than once")
	f.Var(&o.allow, "allow-destroy", "`UNIT/ADDRESS` of a resource that a plan may destroy although it holds data; may be given more than once")
	f.StringVar(&o.writer, "writer", "", "`region` that has the writer now, for -destroy: its member goes last")
	f.BoolVar(&o.buckets, "buckets", false, "with -destroy: the state buckets too, with the history of every state")
	f.BoolVar(&o.yes, "yes", false, "don't ask before each unit's plan is applied; needed where no terminal is")
	f.StringVar(&o.terraform, "terraform", "", "`path` of terraform or tofu; default: the one on PATH")
	f.BoolVar(&o.install, "install-terraform", false, "download terraform "+tf.InstallVersion+" when PATH has none")
	f.BoolVar(&o.local, "local-state", false, "keep states in files instead of the buckets; for development")
	f.Usage = func() {
		fmt.Fprint(w, `deploy turns a config file into Terraform for both Regions.

    go run ./examples/deploy -config examples/deploy/default.yaml -out build/tf          render, and stop
    go run ./examples/deploy -config FILE -out build/tf -plan                            what would change
    go run ./examples/deploy -config FILE -out build/tf -apply -account 123456789012     stand it up
    go run ./examples/deploy -config FILE -out build/tf -plan -unit region-us-west-2     one Region, while the other is dark

`)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var errs []error
	if f.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", f.Arg(0)))
	}
	if o.config == "" {
		errs = append(errs, errors.New("-config is missing: examples/deploy/default.yaml is a start"))
	}
	if o.dir == "" {
		errs = append(errs, errors.New("-out is empty: name the folder to render into"))
	}
	verbs := 0
	for v, chosen := range []bool{planning: *plan, applying: *apply, destroying: *destroy} {
		if chosen {
			o.verb = verb(v)
			verbs++
		}
	}
	if verbs > 1 {
		errs = append(errs, errors.New("-plan, -apply and -destroy exclude each other: choose one"))
	}
	// A flag that is accepted and ignored is a lie about what runs.
	idle := map[string]bool{
		"buckets": o.verb != destroying || len(o.units) > 0, "writer": o.verb != destroying || len(o.units) > 0,
		"unit": o.verb == rendering, "allow-destroy": o.verb == rendering, "yes": o.verb == rendering || o.verb == planning,
		"terraform": o.verb == rendering, "install-terraform": o.verb == rendering, "local-state": o.verb == rendering,
	}
	f.Visit(func(given *flag.Flag) {
		if idle[given.Name] && verbs < 2 {
			errs = append(errs, fmt.Errorf("-%s has no effect here: it %s", given.Name, belongs[given.Name]))
		}
	})
	return o, errors.Join(errs...)
}

// belongs says of the flags that need a verb with which one they go.
var belongs = map[string]string{
	"buckets": "belongs to -destroy of all units", "writer": "belongs to -destroy of all units",
	"yes":  "belongs to -apply and -destroy",
	"unit": "needs -plan, -apply or -destroy", "allow-destroy": "needs -plan, -apply or -destroy",
	"terraform": "needs -plan, -apply or -destroy", "install-terraform": "needs -plan, -apply or -destroy",
	"local-state": "needs -plan, -apply or -destroy",
}

func run(ctx context.Context, args []string, c console) int {
	o, err := parse(args, c.err)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return c.refuse(err, exitNotBegun)
	}
	cfg, err := infra.Load(o.config)
	if err != nil {
		return c.refuse(err, exitNotBegun)
	}
	if cfg.AccountID == "" {
		cfg.AccountID = o.account // then the providers refuse any other account, too
	}
	if o.account != "" && o.account != cfg.AccountID {
		return c.refuse(fmt.Errorf("the account ids differ: the config says %s, -account says %s: nothing was touched", cfg.AccountID, o.account), exitNotBegun)
	}
	files, err := render.Render(cfg, render.Options{})
	if err != nil {
		return c.refuse(err, exitNotBegun)
	}
	cfg = cfg.WithDefaults()
	if w := dr.Region(o.writer); w != "" && !slices.Contains(cfg.Members(), w) {
		return c.refuse(fmt.Errorf("-writer %s is no member: give one of %v", w, cfg.Members()), exitNotBegun)
	}
	left, err := render.Leftovers(o.dir, cfg)
	if err != nil {
		return c.refuse(err, exitNotBegun)
	}
	for _, unit := range left {
		fmt.Fprintf(c.err, "deploy: %s still holds %s, which the config has no more: destroy it with the config that had it (-destroy -unit %s), then delete its folder\n", o.dir, unit, unit)
	}
	if len(left) > 0 && (o.verb == applying || o.verb == destroying) {
		// Its keys and roles are in the unit global, which would take them away.
		return c.refuse(errors.New("nothing was touched: what is left over would lose its keys and roles, and stay"), exitNotBegun)
	}
	if err := files.Write(o.dir); err != nil {
		return c.refuse(err, exitNotBegun)
	}
	fmt.Fprintf(c.out, "rendered %d units of %s into %s\n", len(cfg.Units()), cfg.Name(), o.dir)
	missing, err := copyPackages(cfg, o.dir)
	if err != nil {
		return c.refuse(err, exitNotBegun)
	}
	for _, path := range missing {
		fmt.Fprintf(c.out, "no %s yet: build the functions' packages before -apply\n", path)
	}
	if o.verb == rendering {
		return exitDone
	}
	d, err := open(ctx, cfg, o, c, missing)
	if err != nil {
		return c.refuse(err, exitNotBegun)
	}
	// From here on terraform may be at work. It ends what it has begun and writes its
	// state, which takes as long as AWS takes, and it would die with this process: only
	// the third signal ends at once. Before, nothing has begun and the first one does.
	ctx, stop := tf.WithSignals(ctx, func(n int) {
		if n > 2 {
			os.Exit(exitFailed)
		}
		fmt.Fprintln(c.err, "\ndeploy: still stopping; once more ends terraform hard: its state may lack what it has just created, and its lock may stay")
	})
	defer stop()
	return d.run(ctx)
}

// refuse prints an error, each of its problems on a line, and returns the status.
func (c console) refuse(err error, status int) int {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(c.err, "deploy:", strings.TrimRight(line, "\n"))
	}
	return status
}

// deployment is one run with a verb.
type deployment struct {
	options
	console
	cfg    infra.Config
	tf     *tf.Deployment
	screen *screen
}

// open finds terraform and opens what was rendered. What stands in the way of an apply
// is said here, before anything is made, and not when half of it stands.
func open(ctx context.Context, cfg infra.Config, o options, c console, missing []string) (*deployment, error) {
	d := &deployment{options: o, console: c, cfg: cfg, screen: &screen{w: c.out}}
	for _, u := range o.units {
		if !slices.ContainsFunc(cfg.Units(), func(have infra.Unit) bool { return have.Name == u }) {
			return nil, fmt.Errorf("there is no unit %q: %s/README.md lists them", u, o.dir)
		}
	}
	if o.verb != planning {
		if err := d.confirm(ctx); err != nil {
			return nil, err
		}
	}
	if o.verb == applying && len(missing) > 0 && o.hasFunctions(cfg) {
		return nil, fmt.Errorf("nothing was applied: the functions' packages are missing from %s: build them, or apply units without functions by -unit", cfg.Functions.Directory)
	}
	if o.verb != planning && !o.yes && !c.interactive {
		return nil, errors.New("nothing was touched: no terminal to ask for approval on: read the output of -plan, then give -yes to apply without a question")
	}
	binary, err := tf.Find(ctx, tf.FindOptions{ExecPath: o.terraform, Install: o.install})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c.out, "with %s %s at %s\n", binary.Flavour, binary.Version, binary.Path)
	d.tf, err = tf.Open(tf.Options{
		Dir: o.dir, Units: cfg.Units(), Binary: binary, LocalState: o.local, Allow: o.allow,
		Approve: d.approve, Progress: d.screen.event,
	})
	return d, err
}

func (d *deployment) run(ctx context.Context) int {
	var err error
	switch d.verb {
	case planning:
		err = d.plan(ctx)
	case applying:
		err = d.apply(ctx)
	case destroying:
		err = d.destroy(ctx)
	}
	d.screen.close()
	if err != nil {
		return d.refuse(err, exitFailed)
	}
	return exitDone
}
