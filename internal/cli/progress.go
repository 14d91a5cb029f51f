package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/docker/go-units"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"vmctl/internal/machine"
)

// progress shows the reports of a long operation: as a bar on a terminal, as a few
// lines elsewhere.
type progress interface {
	report(machine.Progress)
	close() // ends the display; nothing is reported after it
}

// newProgress chooses by what standard error is.
func (t *terminal) newProgress() progress {
	switch f, ok := t.Err.(*os.File); {
	case t.json:
		return silent{}
	case ok && term.IsTerminal(int(f.Fd())):
		return newBars(f)
	}
	return &lines{out: t.Err}
}

type silent struct{}

func (silent) report(machine.Progress) {}
func (silent) close()                  {}

// stageImport is a stage of the command line's own.
const stageImport machine.Stage = "import"

// stageWords is what a stage is called on the screen.
var stageWords = map[machine.Stage]string{
	machine.StageCheck:   "checking",
	machine.StagePull:    "pulling",
	machine.StageCreate:  "creating",
	machine.StageStart:   "starting",
	machine.StageInstall: "installing",
	machine.StageReady:   "ready",
	machine.StageStop:    "stopping",
	machine.StageRemove:  "removing",
	machine.StageOwn:     "taking over",
	machine.StageCopy:    "copying",
	stageImport:          "importing",
}

// describe is one report as text, without its stage.
func describe(p machine.Progress) string {
	switch {
	case p.Total > 0 && slices.Contains([]machine.Stage{machine.StagePull, machine.StageCopy, stageImport}, p.Stage):
		return fmt.Sprintf("%s (%s of %s)", p.Text, units.BytesSize(float64(p.Done)), units.BytesSize(float64(p.Total)))
	case p.Stage == machine.StageStop:
		return fmt.Sprintf("%s (%d of at most %d s)", p.Text, p.Done, p.Total)
	case p.Percent >= 0:
		return fmt.Sprintf("%s (%.0f%%)", p.Text, p.Percent)
	}
	return p.Text
}

// share is how far a report is, in thousandths; below 0 where nobody knows.
func share(p machine.Progress) int64 {
	switch {
	case p.Percent >= 0:
		return int64(min(p.Percent, 100) * 10)
	case p.Total > 0:
		return min(p.Done*1000/p.Total, 1000)
	}
	return -1
}

// lines prints a line when the stage or the text changes, when a share has grown
// by a tenth, and once a minute as a sign of life.
type lines struct {
	out   io.Writer
	last  machine.Progress
	shown time.Time
}

const signOfLife = time.Minute

func (l *lines) report(p machine.Progress) {
	if p.Stage == machine.StageNote {
		fmt.Fprintf(l.out, "vmctl: note: %s\n", p.Text)
		return
	}
	quiet := p.Stage == l.last.Stage && p.Text == l.last.Text && share(p)/100 == share(l.last)/100 && time.Since(l.shown) < signOfLife
	if quiet {
		return
	}
	l.last, l.shown = p, time.Now()
	text := stageWords[p.Stage]
	if d := describe(p); d != "" {
		text += ": " + d
	}
	fmt.Fprintf(l.out, "vmctl: %s\n", text)
}

func (l *lines) close() {}

// barTotal is a full bar, in the unit of share.
const barTotal = 1000

// bars draws the stage that goes on as one line with mpb: a bar where it is known
// how far the stage is, else only the time and a word. The next stage takes its place.
type bars struct {
	container *mpb.Progress
	bar       *mpb.Bar

	mu   sync.Mutex // the drawing goroutine reads last
	last machine.Progress
}

func newBars(out io.Writer) *bars {
	return &bars{container: mpb.New(mpb.WithOutput(out), mpb.WithWidth(64), mpb.WithRefreshRate(150*time.Millisecond))}
}

func (b *bars) report(p machine.Progress) {
	if p.Stage == machine.StageNote {
		fmt.Fprintf(b.container, "vmctl: note: %s\n", p.Text)
		return
	}
	b.mu.Lock()
	changed := b.bar == nil || p.Stage != b.last.Stage
	b.last = p
	b.mu.Unlock()
	if changed {
		b.finish()
		b.start(p.Stage)
	}
	if n := share(p); n >= 0 {
		b.bar.SetCurrent(min(n, barTotal-1)) // at its total a bar would end by itself
	}
}

// at is the last report, and whether it is of that stage.
func (b *bars) at(stage machine.Stage) (machine.Progress, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last, b.last.Stage == stage
}

// start adds the bar of a stage. Its text is read at each drawing.
func (b *bars) start(stage machine.Stage) {
	text := func(decor.Statistics) string {
		if p, now := b.at(stage); now {
			return " " + describe(p)
		}
		return ""
	}
	known := func(base mpb.BarFiller) mpb.BarFiller {
		return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			if p, now := b.at(stage); !now || share(p) < 0 {
				return nil
			}
			return base.Fill(w, s)
		})
	}
	b.bar = b.container.New(barTotal, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"), mpb.BarFillerMiddleware(known),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-11s", stageWords[stage])), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 7})),
		mpb.AppendDecorators(decor.Any(text)), mpb.BarFillerTrim(), mpb.BarRemoveOnComplete())
}

func (b *bars) finish() {
	if b.bar != nil {
		b.bar.SetTotal(-1, true)
		b.bar.Abort(true)
		b.bar.Wait()
	}
}

func (b *bars) close() {
	b.finish()
	b.container.Wait()
}
