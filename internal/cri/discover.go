package cri

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"vmctl/internal/hint"
)

// The environment variables that name an endpoint. The second is crictl's.
const (
	EnvEndpoint    = "VMCTL_RUNTIME_ENDPOINT"
	EnvCRIEndpoint = "CONTAINER_RUNTIME_ENDPOINT"
)

// KnownSocket is a place where a runtime usually listens.
type KnownSocket struct {
	Path string
	Name string // for people: "containerd", "private runtime"
}

// DefaultKnownSockets are the usual places, in the order in which they are tried:
// crictl's own order, with k3s next to containerd, which it is. The sockets of
// private runtimes go in front of them; they are the caller's to add.
func DefaultKnownSockets() []KnownSocket {
	return []KnownSocket{
		{Path: "/run/containerd/containerd.sock", Name: "containerd"},
		{Path: "/run/k3s/containerd/containerd.sock", Name: "k3s"},
		{Path: "/run/crio/crio.sock", Name: "CRI-O"},
		{Path: "/var/run/cri-dockerd.sock", Name: "cri-dockerd"},
	}
}

// DefaultCrictlFiles are the files in which crictl looks for its endpoint.
func DefaultCrictlFiles() []string { return []string{"/etc/crictl.yaml"} }

// Sources are the places that may name an endpoint, first the strongest.
type Sources struct {
	// Flag is the value of --runtime-endpoint.
	Flag string
	// Getenv reads EnvEndpoint, then EnvCRIEndpoint; nil is os.Getenv.
	Getenv func(string) string
	// CrictlFiles are files in crictl's format; absent ones are passed over.
	CrictlFiles []string
	// Config is what the user's configuration file says.
	Config string
	// Known are the sockets to try when nothing names an endpoint.
	Known []KnownSocket
}

// Attempt is one endpoint that was considered, and why it was not taken (nil: it
// was).
type Attempt struct {
	Endpoint string
	Source   string
	Err      error
}

// Found says which endpoint was taken, and why.
type Found struct {
	Endpoint string
	Source   string // "--runtime-endpoint", "/etc/crictl.yaml", "containerd"
	Why      string // for people, one phrase
	Tried    []Attempt
}

// Find connects to the endpoint that the strongest source names. A choice that
// somebody made is never passed over: when it fails, that is the error. Only when
// nobody chose are the known sockets tried, and the first that answers is taken.
//
// When none does the error is ErrNoRuntime; it lists what was tried and also
// matches the sentinels of those failures. Found.Tried is filled in either case.
func (s Sources) Find(ctx context.Context) (*Client, Found, error) {
	endpoint, source, err := s.chosen()
	if err != nil {
		return nil, Found{Source: source}, err
	}
	if endpoint == "" {
		return s.search(ctx)
	}
	found := Found{Endpoint: endpoint, Source: source, Why: "named by " + source}
	c, err := Dial(ctx, endpoint)
	found.Tried = []Attempt{{Endpoint: endpoint, Source: source, Err: err}}
	if err != nil {
		return nil, found, fmt.Errorf("runtime endpoint from %s: %w", source, err)
	}
	found.Endpoint = c.Endpoint()
	return c, found, nil
}

// chosen is the endpoint that somebody named, and where; "" when nobody did.
func (s Sources) chosen() (endpoint, source string, err error) {
	getenv := s.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	if s.Flag != "" {
		return s.Flag, "--runtime-endpoint", nil
	}
	for _, name := range []string{EnvEndpoint, EnvCRIEndpoint} {
		if v := getenv(name); v != "" {
			return v, name, nil
		}
	}
	for _, file := range s.CrictlFiles {
		v, err := crictlEndpoint(file)
		if err != nil || v != "" {
			return v, file, err
		}
	}
	return s.Config, "the configuration file", nil
}

// search tries the known sockets.
func (s Sources) search(ctx context.Context) (*Client, Found, error) {
	var found Found
	for _, k := range s.Known {
		endpoint := "unix://" + k.Path
		c, err := tryKnown(ctx, k, endpoint)
		found.Tried = append(found.Tried, Attempt{Endpoint: endpoint, Source: k.Name, Err: err})
		if ctx.Err() != nil && err != nil {
			return nil, found, ctx.Err()
		}
		if err == nil {
			found.Endpoint, found.Source = endpoint, k.Name
			found.Why = "nobody named another, and " + k.Name + " answers"
			return c, found, nil
		}
	}
	err := &noRuntimeError{tried: found.Tried}
	return nil, found, hint.With(err, "%s", err.way())
}

func tryKnown(ctx context.Context, k KnownSocket, endpoint string) (*Client, error) {
	if _, err := os.Stat(k.Path); errors.Is(err, fs.ErrNotExist) {
		return nil, &rpcError{text: "no such socket", kinds: []error{ErrUnavailable, fs.ErrNotExist}}
	}
	return Dial(ctx, endpoint)
}

// noRuntimeError is ErrNoRuntime with the list of what was tried.
type noRuntimeError struct{ tried []Attempt }

// Error is one line. Sockets that are not there are only counted up; what is
// there and does not answer says why.
func (e *noRuntimeError) Error() string {
	var absent, failed []string
	for _, a := range e.tried {
		if errors.Is(a.Err, fs.ErrNotExist) {
			absent = append(absent, strings.TrimPrefix(a.Endpoint, "unix://"))
			continue
		}
		failed = append(failed, fmt.Sprintf("%s: %v", a.Source, a.Err))
	}
	text := ErrNoRuntime.Error()
	for _, f := range failed {
		text += "; " + f
	}
	if len(absent) > 0 {
		text += "; no socket at " + strings.Join(absent, ", ")
	}
	return text
}

// Unwrap makes the failures behind it visible to errors.Is, absent sockets
// excepted: that there is none is what ErrNoRuntime says.
func (e *noRuntimeError) Unwrap() []error {
	kinds := []error{ErrNoRuntime}
	for _, a := range e.tried {
		if !errors.Is(a.Err, fs.ErrNotExist) {
			kinds = append(kinds, a.Err)
		}
	}
	return kinds
}

// way is the hint: what is nearest to working comes first.
func (e *noRuntimeError) way() string {
	for _, kind := range []error{ErrPermission, ErrCRIDisabled} {
		for _, a := range e.tried {
			if h := hint.Of(a.Err); errors.Is(a.Err, kind) && h != "" {
				return h
			}
		}
	}
	return "start a private runtime: sudo vmctl runtime start"
}
