package linear_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// page is one entry of the journal: its place, and who wrote it.
type page struct{ place, author string }

func pageOf(x failover.Execution) page {
	return page{place: fmt.Sprintf("%s#%06d", x.ID, x.Seq), author: x.Detail}
}

type journalInput struct {
	op   string
	page page
}

type journalOutput struct {
	outcome outcome
	page    page
}

// journals says what the journal may do: places are filled once, and the last one is
// the newest. Its state is the pages as text, because porcupine compares states.
var journals = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(string), input.(journalInput), output.(journalOutput)
		author, there := find(now, in.page.place)
		written := now + in.page.place + "=" + in.page.author + "\n"
		switch out.outcome {
		case none:
			return now == "", now
		case seen:
			if in.op == "latest" {
				return newest(now) == out.page, now
			}
			return there && author == in.page.author, now
		case done:
			return !there, written
		case moved:
			return there, now
		case still:
			return there && author != in.page.author, now
		}
		if there {
			return true, now
		}
		return true, written
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(journalInput), output.(journalOutput)
		return fmt.Sprintf("%s %s by %s: %s %s %s", in.op, in.page.place, in.page.author, out.outcome, out.page.place, out.page.author)
	},
}

func find(pages, place string) (author string, there bool) {
	for line := range strings.Lines(pages) {
		if at, by, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "="); at == place {
			return by, true
		}
	}
	return "", false
}

func newest(pages string) (p page) {
	for line := range strings.Lines(pages) {
		if at, by, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "="); at > p.place {
			p = page{place: at, author: by}
		}
	}
	return p
}

// useJournal reads the newest entry and appends to its execution, or begins another.
func useJournal(p *process) func() {
	var last failover.Execution
	step := 0
	return func() {
		step++
		what := p.rnd.IntN(10)
		p.call(func(ctx context.Context, c *call) {
			if what < 5 || p.reads() {
				e, err := p.store.Latest(ctx)
				switch {
				case err == nil:
					p.h.end(p.id, c, journalInput{op: "latest"}, journalOutput{outcome: seen, page: pageOf(e.Execution)})
					last = e.Execution
				case errors.Is(err, failover.ErrNoEntry):
					p.h.end(p.id, c, journalInput{op: "latest"}, journalOutput{outcome: none})
				}
				return
			}
			x := last
			x.Seq, x.State, x.From, x.To = last.Seq+1, failover.Confirmed, east, west
			if what == 9 || x.ID == "" {
				x.Epoch, x.Seq = last.Epoch+1, 1
				x.ID = fmt.Sprintf("%010d-0001", uint64(x.Epoch))
			}
			x.Detail = fmt.Sprintf("%d-%d", p.id, step)
			in := journalInput{op: "append", page: pageOf(x)}
			err := p.store.Append(ctx, failover.Entry{Execution: x, Event: failover.Kind("test")})
			p.h.maybe(c, err, in, journalOutput{outcome: maybe})
			unsure := len(c.open) > 0
			switch {
			case err == nil && unsure:
				p.h.end(p.id, c, in, journalOutput{outcome: seen})
			case err == nil:
				p.h.end(p.id, c, in, journalOutput{outcome: done})
			case errors.Is(err, failover.ErrConflict) && unsure:
				p.h.end(p.id, c, in, journalOutput{outcome: still})
			case errors.Is(err, failover.ErrConflict):
				p.h.end(p.id, c, in, journalOutput{outcome: moved})
			}
			if err == nil {
				last = x
			}
		})
	}
}

func pageMark(input any) string { return input.(journalInput).page.author }

func pageMarks(input, output any) []string {
	in, out := input.(journalInput), output.(journalOutput)
	if in.op == "append" && out.outcome == seen {
		return []string{in.page.author}
	}
	return []string{out.page.author}
}
