package viewer

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"syscall"
	"time"

	"vmctl/internal/hint"
)

// ErrNoBrowser is returned when there is no screen or no program to show a page with.
var ErrNoBrowser = errors.New("no browser to open")

// browserGrace is how long xdg-open may take to say that it found nothing. With some
// desktops it lives as long as the browser.
const browserGrace = time.Second

// OpenBrowser shows a web page in the user's browser, which outlives this process. When
// that is impossible the error is ErrNoBrowser, with the hint to open the page by hand.
func OpenBrowser(page string) error {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no http URL", page)
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return noBrowser("there is no display", page)
	}
	opener, err := exec.LookPath("xdg-open")
	if err != nil {
		return noBrowser("xdg-open is not installed (package xdg-utils)", page)
	}
	cmd := exec.Command(opener, page)
	// A session of its own: Ctrl-C and the end of our terminal are not the browser's.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return noBrowser(err.Error(), page)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return noBrowser("xdg-open: "+err.Error(), page)
		}
	case <-time.After(browserGrace):
	}
	return nil
}

func noBrowser(why, page string) error {
	return hint.With(fmt.Errorf("%w: %s", ErrNoBrowser, why), "open %s in a browser", page)
}
