package viewer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"vmctl/internal/hint"
)

// ErrUnauthorized is returned when the image's pages want another user name or password
// (PROTECT=Y; the pair is USERNAME and PASSWORD, or Docker and admin).
var ErrUnauthorized = errors.New("the viewer does not accept the user name and password")

// Auth is the name and password that a protected viewer asks for. The zero value sends
// none.
type Auth struct{ User, Password string }

const (
	pollTimeout = 3 * time.Second
	maxPage     = 64 << 10 // the status page has one line
)

// Poll asks once what the image at base ("http://127.0.0.1:8006") says. That nobody
// answers is a status (Down), not an error: errors are a base that is no URL, an ended
// ctx, and ErrUnauthorized.
func Poll(ctx context.Context, base string, auth Auth) (Status, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return down(""), fmt.Errorf("viewer address %q is no http URL", base)
	}
	// Neither the environment's proxy nor a redirect has a say between us and the pod.
	client := http.Client{
		Timeout:       pollTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("msg.html").String(), nil)
	if err != nil {
		return down(""), err
	}
	if auth != (Auth{}) {
		req.SetBasicAuth(auth.User, auth.Password)
	}
	resp, err := client.Do(req)
	if err != nil {
		return silent(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return silent(ctx, err)
	}
	return judge(resp.StatusCode, string(body))
}

// Page is what the image's page says, read from its file: body is that of msg.html in
// the image's web directory, and there tells whether the file is there (qemus/qemu
// src/finish.sh removes it when there is a screen).
func Page(body string, there bool) Status {
	if !there {
		return Status{State: Ready, Percent: -1}
	}
	return parseStatus(body)
}

// judge follows upstream's own page (qemus/qemu web/js/script.js processInfo).
func judge(code int, body string) (Status, error) {
	switch {
	case code == http.StatusNotFound:
		return Status{State: Ready, Percent: -1}, nil
	case code == http.StatusUnauthorized:
		return down("asks for a password"), hint.With(ErrUnauthorized, "set USERNAME and PASSWORD in the recipe to what the machine was made with")
	case code == http.StatusOK && strings.Contains(strings.ToLower(body), "<html>"):
		return Status{State: Ready, Percent: -1}, nil
	case code == http.StatusOK:
		return parseStatus(body), nil
	}
	return down(fmt.Sprintf("answers %d %s", code, http.StatusText(code))), nil
}

// silent is the status of a page that did not answer, unless the caller gave up.
func silent(ctx context.Context, err error) (Status, error) {
	if ctx.Err() != nil {
		return down(""), fmt.Errorf("ask the viewer: %w", ctx.Err())
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return down("refuses connections"), nil
	case errors.As(err, &timeout) && timeout.Timeout():
		return down("does not answer"), nil
	}
	return down("breaks connections"), nil
}

func down(text string) Status { return Status{State: Down, Text: text, Percent: -1} }

// Watch polls every interval and calls fn with the first status and then with each that
// differs from the one before, until fn returns false (nil), or Poll has an error, which
// Watch returns.
func Watch(ctx context.Context, base string, auth Auth, interval time.Duration, fn func(Status) bool) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last Status
	for first := true; ; first = false {
		s, err := Poll(ctx, base, auth)
		if err != nil {
			return err
		}
		if first || s != last {
			if !fn(s) {
				return nil
			}
			last = s
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("watch the viewer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}
