package cri_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/hint"
)

// crictlFile writes a crictl.yaml.
func crictlFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "crictl.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func known(rt *critest.Server, name string) cri.KnownSocket {
	return cri.KnownSocket{Path: strings.TrimPrefix(rt.Endpoint(), "unix://"), Name: name}
}

// Each source in turn is the strongest that is set.
func TestFindOrder(t *testing.T) {
	flag, own, other, crictl, config, socket := critest.NewServer(t), critest.NewServer(t), critest.NewServer(t),
		critest.NewServer(t), critest.NewServer(t), critest.NewServer(t)
	env := map[string]string{cri.EnvEndpoint: own.Endpoint(), cri.EnvCRIEndpoint: other.Endpoint()}
	file := crictlFile(t, "runtime-endpoint: "+crictl.Endpoint()+"\nimage-endpoint: unix:///elsewhere\ntimeout: 2\n")
	s := cri.Sources{
		Flag: flag.Endpoint(), Getenv: environment(env), Config: config.Endpoint(),
		CrictlFiles: []string{filepath.Join(t.TempDir(), "none.yaml"), crictlFile(t, "timeout: 2\n"), file},
		Known:       []cri.KnownSocket{{Path: "/nowhere.sock", Name: "none"}, known(socket, "fake")},
	}
	for _, step := range []struct {
		want   *critest.Server
		source string
		unset  func()
	}{
		{flag, "--runtime-endpoint", func() { s.Flag = "" }},
		{own, "VMCTL_RUNTIME_ENDPOINT", func() { delete(env, cri.EnvEndpoint) }},
		{other, "CONTAINER_RUNTIME_ENDPOINT", func() { delete(env, cri.EnvCRIEndpoint) }},
		{crictl, file, func() { s.CrictlFiles = nil }},
		{config, "the configuration file", func() { s.Config = "" }},
		{socket, "fake", func() {}},
	} {
		c, found, err := s.Find(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", step.source, err)
		}
		if c.Endpoint() != step.want.Endpoint() || found.Endpoint != step.want.Endpoint() || found.Source != step.source || !strings.Contains(found.Why, step.source) {
			t.Errorf("want %s: found %+v", step.source, found)
		}
		if last := found.Tried[len(found.Tried)-1]; last.Err != nil || last.Endpoint != found.Endpoint {
			t.Errorf("%s: tried %+v", step.source, found.Tried)
		}
		c.Close()
		step.unset()
	}
}

// A choice that somebody made is never passed over.
func TestFindChoiceFails(t *testing.T) {
	rt := critest.NewServer(t)
	none := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	for source, s := range map[string]cri.Sources{
		"--runtime-endpoint":         {Flag: none},
		"VMCTL_RUNTIME_ENDPOINT":     {Getenv: environment(map[string]string{cri.EnvEndpoint: none})},
		"CONTAINER_RUNTIME_ENDPOINT": {Getenv: environment(map[string]string{cri.EnvCRIEndpoint: none})},
		"the configuration file":     {Config: none},
	} {
		if s.Getenv == nil {
			s.Getenv = environment(nil)
		}
		s.Known = []cri.KnownSocket{known(rt, "fake")}
		c, found, err := s.Find(t.Context())
		if c != nil || !errors.Is(err, cri.ErrUnavailable) || errors.Is(err, cri.ErrNoRuntime) || !strings.Contains(err.Error(), source) {
			t.Errorf("%s: %v", source, err)
		}
		if len(found.Tried) != 1 || found.Tried[0].Err == nil {
			t.Errorf("%s: tried %+v", source, found.Tried)
		}
	}
}

func TestFindBrokenCrictlFile(t *testing.T) {
	rt := critest.NewServer(t)
	for name, file := range map[string]string{
		"no YAML":     crictlFile(t, "runtime-endpoint: [unix"),
		"a directory": t.TempDir(),
		"not unix":    crictlFile(t, "runtime-endpoint: tcp://127.0.0.1:1\n"),
	} {
		s := cri.Sources{Getenv: environment(nil), CrictlFiles: []string{file}, Known: []cri.KnownSocket{known(rt, "fake")}}
		if _, _, err := s.Find(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v does not name the file", name, err)
		}
	}
}

func TestFindKnown(t *testing.T) {
	dead, live, later := critest.NewServer(t), critest.NewServer(t), critest.NewServer(t)
	dead.Stop()
	s := cri.Sources{Getenv: environment(nil), Known: []cri.KnownSocket{
		{Path: "/nowhere.sock", Name: "none"}, known(dead, "dead"), known(live, "live"), known(later, "later"),
	}}
	c, found, err := s.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if found.Source != "live" || c.Endpoint() != live.Endpoint() {
		t.Errorf("found %+v", found)
	}
	var tried []string
	for _, a := range found.Tried {
		tried = append(tried, a.Source)
	}
	if diff := cmp.Diff([]string{"none", "dead", "live"}, tried); diff != "" {
		t.Errorf("tried (-want +got):\n%s", diff)
	}
}

func TestFindNothing(t *testing.T) {
	dead := critest.NewServer(t)
	dead.Stop()
	s := cri.Sources{Getenv: environment(nil), Known: []cri.KnownSocket{{Path: "/nowhere.sock", Name: "none"}, known(dead, "dead")}}
	_, found, err := s.Find(t.Context())
	if !errors.Is(err, cri.ErrNoRuntime) || !errors.Is(err, cri.ErrUnavailable) || errors.Is(err, cri.ErrPermission) {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"/nowhere.sock", "dead", "connection refused"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if got := hint.Of(err); !strings.Contains(got, "sudo vmctl runtime start") {
		t.Errorf("hint %q", got)
	}
	if len(found.Tried) != 2 {
		t.Errorf("tried %+v", found.Tried)
	}
	if _, _, err = (cri.Sources{Getenv: environment(nil)}).Find(t.Context()); !errors.Is(err, cri.ErrNoRuntime) {
		t.Errorf("no sources: %v", err)
	}
}

// What is nearest to working gives the hint.
func TestFindHints(t *testing.T) {
	denied := critest.NewServer(t)
	denied.At("Version", 0).Fail(codes.Unavailable, "connect: permission denied")
	p := critest.Containerd2()
	p.NoCRI = true
	disabled := critest.NewServer(t, critest.WithProfile(p))
	for _, test := range []struct {
		known []cri.KnownSocket
		want  error
		hint  string
	}{
		{[]cri.KnownSocket{known(disabled, "docker's"), known(denied, "system's")}, cri.ErrPermission, "sudo"},
		{[]cri.KnownSocket{{Path: "/nowhere.sock"}, known(disabled, "docker's")}, cri.ErrCRIDisabled, "disabled_plugins"},
	} {
		_, _, err := cri.Sources{Getenv: environment(nil), Known: test.known}.Find(t.Context())
		if !errors.Is(err, cri.ErrNoRuntime) || !errors.Is(err, test.want) {
			t.Errorf("error %v", err)
		}
		if got := hint.Of(err); !strings.Contains(got, test.hint) {
			t.Errorf("hint %q lacks %q", got, test.hint)
		}
	}
}

func TestFindCancelled(t *testing.T) {
	slow := critest.NewServer(t)
	stalled := slow.At("Version", 1).Stall()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-stalled.Reached(); cancel() }()
	s := cri.Sources{Getenv: environment(nil), Known: []cri.KnownSocket{known(slow, "slow"), known(slow, "again")}}
	if _, found, err := s.Find(ctx); err != context.Canceled || len(found.Tried) != 1 {
		t.Errorf("error %v after %d attempts", err, len(found.Tried))
	}
}

func TestDefaults(t *testing.T) {
	var names []string
	for _, k := range cri.DefaultKnownSockets() {
		if !filepath.IsAbs(k.Path) {
			t.Errorf("%q is not absolute", k.Path)
		}
		names = append(names, k.Name)
	}
	if diff := cmp.Diff([]string{"containerd", "k3s", "CRI-O", "cri-dockerd"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/etc/crictl.yaml"}, cri.DefaultCrictlFiles()); diff != "" {
		t.Error(diff)
	}
}
