package gui

import (
	"context"
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/docker/go-units"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
)

// portsPage is the dialog with the forwards of a machine. It asks anew after each change.
type portsPage struct {
	w      *Window
	m      machine.Machine
	rows   *fyne.Container
	fault  *widgets.Notice
	note   *widgets.Notice
	field  *widgets.Field
	add    *widget.Button
	check  *widget.Button
	dialog *dialog.CustomDialog
	spec   string
}

func (w *Window) askPorts(name string) {
	m, ok := find(w.state.all(), name)
	if !ok {
		return
	}
	p := &portsPage{w: w, m: m, rows: container.NewVBox(paragraph("Looking…")), fault: widgets.NewNotice(widgets.Bad),
		note: widgets.NewNotice(widgets.Busy)}
	p.add = widget.NewButtonWithIcon("Add", theme.ContentAddIcon(), p.submit)
	p.field = newField("Forward", "HOST:GUEST, such as 2222:22, any:80 or 5353:53/udp; until the machine is stopped", p, p.add, func(text string) error {
		p.spec = text
		_, err := portfwd.ParseSpec(text)
		if text == "" {
			return nil
		}
		return err
	})
	p.field.Check()
	p.check = widget.NewButtonWithIcon("Check", theme.ViewRefreshIcon(), func() { p.look(true) })
	foot := container.NewVBox(p.fault, p.note)
	if m.Phase.Up() {
		foot.Add(container.NewBorder(nil, nil, nil, container.NewVBox(p.add), p.field))
	} else {
		p.check.Disable()
		foot.Add(paragraph("Ports are forwarded while the machine is up."))
	}
	p.dialog = w.question("Ports of "+name, container.NewBorder(nil, foot, nil, nil, container.NewVScroll(p.rows)),
		widget.NewButton("Close", func() { p.dialog.Hide() }), p.check)
	size := w.win.Canvas().Size()
	p.dialog.Resize(fyne.NewSize(min(640, size.Width-24), min(580, size.Height-24)))
	p.dialog.Show()
	p.look(false)
}

func (p *portsPage) right() bool { return p.spec != "" && p.field.Err() == nil }

// look asks for the forwards; with check, each is tried.
func (p *portsPage) look(check bool) {
	list := func(ctx context.Context) ([]machine.PortInfo, error) { return p.w.engine.Ports(ctx, p.m.Name, check) }
	p.check.Disable()
	ask(p.w.bg, list, func(ports []machine.PortInfo, err error) {
		enable(p.check, p.m.Phase.Up())
		if p.failed("The ports are not known", err) {
			return
		}
		p.rows.Objects = nil
		for _, info := range ports {
			p.rows.Add(p.row(info))
		}
		if len(ports) == 0 {
			p.rows.Add(paragraph("No port leads into this machine."))
		}
		p.rows.Refresh()
	})
}

// failed shows an error, or takes an older one away.
func (p *portsPage) failed(what string, err error) bool {
	if err == nil {
		p.fault.Display(widgets.NoticeText{})
		return false
	}
	p.fault.Display(widgets.NoticeText{Title: what, Reason: err.Error(), Fix: hint.Of(err)})
	return true
}

func (p *portsPage) row(info machine.PortInfo) fyne.CanvasObject {
	row := widgets.NewRow()
	row.Display(portText(info))
	var end fyne.CanvasObject
	if p.added(info) {
		end = widget.NewButtonWithIcon("", theme.DeleteIcon(), func() {
			p.change("The forward is not ended", func(ctx context.Context) error { return p.w.engine.EndForward(ctx, p.m.Name, info) })
		})
	}
	line := container.NewBorder(nil, nil, nil, end, row)
	c := info.Check
	if c == nil || c.Hop == "" {
		return line
	}
	told := container.NewVBox(line, paragraph("At the "+c.Hop+": "+c.Detail))
	if c.State == portfwd.Broken && c.Hint != "" {
		told.Add(paragraph(c.Hint))
	}
	return told
}

// added reports whether a forward is none of those that the machine was started with.
func (p *portsPage) added(info machine.PortInfo) bool {
	f, own := p.m.Forward(info.GuestPort, info.Protocol)
	return info.State != machine.PortDown && (!own || f.HostPort != info.HostPort)
}

func (p *portsPage) submit() {
	spec := p.spec
	told := newMailbox(p.w.bg, p.tell)
	p.change("The port is not forwarded", func(ctx context.Context) error {
		return p.w.engine.AddForward(ctx, p.m.Name, spec, told.put)
	})
	p.field.SetText("")
}

// tell shows what is to be known of a new forward: who else may use it, why it goes by its rung.
func (p *portsPage) tell(reports []machine.Progress) {
	var notes []string
	for _, r := range reports {
		notes = append(notes, r.Text)
	}
	p.note.Display(widgets.NoticeText{Reason: strings.Join(notes, "\n")})
}

func (p *portsPage) change(failure string, do func(context.Context) error) {
	ask(p.w.bg, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) }, func(_ struct{}, err error) {
		if !p.failed(failure, err) {
			p.look(false)
		}
	})
}

// portText is a forward in the list: where it leads, by which rung, how it is.
func portText(info machine.PortInfo) widgets.RowText {
	t := widgets.RowText{Title: fmt.Sprintf("%s → %d/%s", info.Host(), info.GuestPort, info.Protocol), Tone: widgets.Plain,
		Detail: string(info.State)}
	if info.Via != "" {
		t.Detail = string(info.Via) + " · " + t.Detail
	}
	if info.Name != "" {
		t.Detail = info.Name + " · " + t.Detail
	}
	if s := info.Stats; s != nil {
		t.Detail += fmt.Sprintf(" · %d open · %s in, %s out", s.Open, units.BytesSize(float64(s.In)), units.BytesSize(float64(s.Out)))
	}
	if c := info.Check; c != nil {
		t.Detail += " · " + c.State.String()
		t.Tone = toneOfCheck(c.State)
	}
	return t
}

func toneOfCheck(s portfwd.State) widgets.Tone {
	switch s {
	case portfwd.Broken:
		return widgets.Bad
	case portfwd.Answers:
		return widgets.Good
	}
	return widgets.Busy
}
