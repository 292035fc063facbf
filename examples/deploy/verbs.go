package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/render"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// plan plans every unit that can be planned and says of the others what they wait for.
func (d *deployment) plan(ctx context.Context) error {
	if len(d.units) > 0 {
		return d.each(func(unit string) error {
			p, err := d.tf.Plan(ctx, unit)
			if err != nil {
				return err
			}
			d.screen.close()
			d.tell(p)
			return nil
		})
	}
	plans, err := d.tf.PlanAll(ctx)
	d.screen.close()
	fmt.Fprintln(d.out)
	for _, p := range plans {
		switch {
		case p.Plan != nil:
			d.tell(p.Plan)
		case len(p.Waits) > 0:
			fmt.Fprintf(d.out, "%-20s waits for outputs of %s: apply first\n", p.Unit, strings.Join(p.Waits, ", "))
		default:
			fmt.Fprintf(d.out, "%-20s could not be planned\n", p.Unit)
		}
	}
	return err
}

func (d *deployment) apply(ctx context.Context) error {
	if len(d.units) == 0 {
		return d.tf.ApplyAll(ctx)
	}
	return d.each(func(unit string) error {
		p, err := d.tf.Plan(ctx, unit)
		if err != nil {
			return err
		}
		if err := d.approve(ctx, p); err != nil {
			return err
		}
		return d.tf.Apply(ctx, p)
	})
}

func (d *deployment) destroy(ctx context.Context) error {
	if len(d.units) == 0 {
		return d.tf.DestroyAll(ctx, tf.DestroyOptions{Current: dr.Region(d.writer), Buckets: d.buckets})
	}
	return d.each(func(unit string) error { return d.tf.Destroy(ctx, unit) })
}

func (d *deployment) each(do func(unit string) error) error {
	for _, u := range d.units {
		if err := do(u); err != nil {
			return err
		}
	}
	return nil
}

// tell prints a plan's total.
func (d *deployment) tell(p *tf.Plan) {
	counts := map[string]int{}
	for _, rc := range p.JSON.ResourceChanges {
		switch a := rc.Change.Actions; {
		case a.Replace():
			counts["replace"]++
		case a.Create():
			counts["add"]++
		case a.Update():
			counts["change"]++
		case a.Delete():
			counts["destroy"]++
		}
	}
	if !p.Changes {
		fmt.Fprintf(d.out, "%-20s no changes\n", p.Unit)
		return
	}
	fmt.Fprintf(d.out, "%-20s %d to add, %d to change, %d to replace, %d to destroy\n",
		p.Unit, counts["add"], counts["change"], counts["replace"], counts["destroy"])
}

// errDeclined ends a run whose plan a person has not approved.
var errDeclined = errors.New("not approved: nothing of this plan was applied")

// approve asks the person at the terminal before a plan is applied.
func (d *deployment) approve(ctx context.Context, p *tf.Plan) error {
	if d.yes || !p.Changes {
		return nil
	}
	d.screen.close()
	d.tell(p)
	fmt.Fprintf(d.out, "apply this to %s? [y/N] ", p.Unit)
	answer, err := d.read(ctx)
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w: nothing of this plan was applied", p.Unit, err)
	}
	if s := strings.ToLower(answer); s != "y" && s != "yes" {
		return errDeclined
	}
	return nil
}

// read returns the next line that a person types. The person may also press Ctrl-C: a line
// that comes after that is dropped.
func (c console) read(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	got := make(chan line, 1)
	go func() {
		text, err := c.in.ReadString('\n')
		got <- line{strings.TrimSpace(text), err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case l := <-got:
		if errors.Is(l.err, io.EOF) {
			l.err = nil // what was typed before it is the answer
		}
		return l.text, l.err
	}
}

// confirm makes sure that a person has named the account that is about to change. The
// providers hold the credentials against it again (allowed_account_ids).
func (d *deployment) confirm(ctx context.Context) error {
	named := d.account
	if named == "" && d.interactive {
		verb := "change"
		if d.verb == destroying {
			verb = "DESTROY " + d.cfg.Name() + " in"
		}
		fmt.Fprintf(d.out, "type the id of the AWS account to %s: ", verb)
		answer, err := d.read(ctx)
		if err != nil {
			return fmt.Errorf("read the account id: %w", err)
		}
		named = answer
	}
	switch {
	case d.cfg.AccountID == "":
		return errors.New("no account id is confirmed: write account_id into the config, or give -account")
	case named == "":
		return fmt.Errorf("the account id is not confirmed: the config says %s; give it again with -account", d.cfg.AccountID)
	case named != d.cfg.AccountID:
		return fmt.Errorf("the account ids differ: the config says %s, you said %s: nothing was touched", d.cfg.AccountID, named)
	}
	return nil
}

// copyPackages puts the functions' zips where the units look for them, and returns
// those that don't exist yet.
func copyPackages(c infra.Config, out string) (missing []string, err error) {
	for _, function := range []string{"health-monitor", "failover-trigger"} {
		to := filepath.Join(out, "unit", filepath.FromSlash(render.PackagePath(function, c.Functions.Architecture)))
		from := filepath.Join(c.Functions.Directory, filepath.Base(to))
		data, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, from)
			continue
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o644)
		}
		if err != nil {
			return nil, fmt.Errorf("copy the package of %s: %w", function, err)
		}
	}
	return missing, nil
}

// screen shows progress, and gets out of the way of a question.
type screen struct {
	w  io.Writer
	on tf.Renderer
}

func (s *screen) event(unit string, e tf.Event) {
	if s.on == nil {
		if f, ok := s.w.(*os.File); ok {
			s.on = tf.NewRenderer(f)
		} else {
			s.on = tf.NewLines(s.w)
		}
	}
	s.on.Event(unit, e)
}

func (s *screen) close() {
	if s.on != nil {
		_ = s.on.Close() // what the terminal can't show has no reader
		s.on = nil
	}
}
